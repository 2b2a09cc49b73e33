import type pg from 'pg'
import { servicesContext } from './services.ts'
import { notFound, type PageArgs, requireUser, type SessionUser, wantsJson } from './session.ts'

export type MemberRole = 'owner' | 'admin' | 'member'

export interface Organization {
  id: string
  slug: string
  name: string
}

export interface Membership {
  user: SessionUser
  organization: Organization
  role: MemberRole
}

/** The organization in `params.slug` and what the user is in it. @throws 404 for everyone who is not a member */
export async function requireMembership(args: PageArgs): Promise<Membership> {
  const user = await requireUser(args)
  const membership = await membershipOf(args.context.get(servicesContext).pool, user.id, args.params.slug ?? '')
  if (membership) return { user, ...membership }
  if (wantsJson(args.request)) throw Response.json({ error: 'There is no such organization.' }, { status: 404 })
  throw notFound()
}

export async function membershipOf(
  pool: pg.Pool,
  userId: string,
  slug: string,
): Promise<{ organization: Organization; role: MemberRole } | null> {
  const { rows } = await pool.query<Organization & { role: string }>(
    /* sql */ `
      select organization.id, organization.slug, organization.name, member.role
      from auth.organization
      join auth.member on member."organizationId" = organization.id
      where organization.slug = $1 and member."userId" = $2`,
    [slug, userId],
  )
  if (!rows[0]) return null
  const { role, ...organization } = rows[0]
  return { organization, role: highestRole(role) }
}

/** Everything the user is a member of, by name. */
export async function organizationsOf(
  pool: pg.Pool,
  userId: string,
): Promise<(Organization & { role: MemberRole; members: number })[]> {
  const { rows } = await pool.query<Organization & { role: string; members: number }>(
    /* sql */ `
      select organization.id, organization.slug, organization.name, member.role,
             (select count(*)::int from auth.member as fellow where fellow."organizationId" = organization.id) as members
      from auth.organization
      join auth.member on member."organizationId" = organization.id
      where member."userId" = $1
      order by lower(organization.name), organization.id`,
    [userId],
  )
  return rows.map((row) => ({ ...row, role: highestRole(row.role) }))
}

export interface Member {
  id: string
  userId: string
  name: string
  email: string
  role: MemberRole
  joinedAt: Date
}

/** Owners first, then admins, then members, each by name. */
export async function membersOf(pool: pg.Pool, organizationId: string): Promise<Member[]> {
  const { rows } = await pool.query<Omit<Member, 'role'> & { role: string }>(
    /* sql */ `
      select member.id, member."userId", "user".name, "user".email, member.role, member."createdAt" as "joinedAt"
      from auth.member
      join auth."user" on "user".id = member."userId"
      where member."organizationId" = $1
      order by array_position(array['owner', 'admin', 'member'], member.role), lower("user".name), member.id`,
    [organizationId],
  )
  return rows.map((row) => ({ ...row, role: highestRole(row.role) }))
}

export interface Invitation {
  id: string
  email: string
  role: MemberRole
  expiresAt: Date
}

/** Invitations that wait for an answer and have not expired, newest first. */
export async function openInvitations(pool: pg.Pool, organizationId: string, now: Date): Promise<Invitation[]> {
  const { rows } = await pool.query<Omit<Invitation, 'role'> & { role: string | null }>(
    /* sql */ `
      select id, email, role, "expiresAt"
      from auth.invitation
      where "organizationId" = $1 and status = 'pending' and "expiresAt" > $2
      order by "expiresAt" desc, id`,
    [organizationId, now],
  )
  return rows.map((row) => ({ ...row, role: highestRole(row.role ?? 'member') }))
}

/** May change members, settings and billing. */
export function isManager(role: MemberRole): boolean {
  return role !== 'member'
}

/** A short name for addresses: `Café Müller & Co` → `cafe-muller-co`. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48)
    .replace(/-+$/, '')
}

/** better-auth keeps several roles in one text, with commas. */
function highestRole(roles: string): MemberRole {
  const held = roles.split(',').map((role) => role.trim())
  return held.includes('owner') ? 'owner' : held.includes('admin') ? 'admin' : 'member'
}
