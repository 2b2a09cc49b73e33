import type pg from 'pg'
import { data } from 'react-router'
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

/** A member who may change members and settings. @throws 403 with a sentence for the others, 404 for strangers */
export async function requireManager(args: PageArgs): Promise<Membership> {
  const membership = await requireMembership(args)
  if (isManager(membership.role)) return membership
  throw data(`Only owners and admins of ${membership.organization.name} can do this. Ask one of them.`, {
    status: 403,
    statusText: 'Forbidden',
  })
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

export interface SentInvitation extends Invitation {
  status: string
  organization: Organization
  /** The name of whoever has sent it. */
  inviter: string
}

/** The invitation with this id, open or not; null where there is none. */
export async function invitationById(pool: pg.Pool, id: string): Promise<SentInvitation | null> {
  const { rows } = await pool.query<
    Omit<SentInvitation, 'role' | 'organization'> & { role: string | null } & Record<'orgId' | 'slug' | 'name', string>
  >(
    /* sql */ `
      select invitation.id, invitation.email, invitation.role, invitation."expiresAt", invitation.status,
             organization.id as "orgId", organization.slug, organization.name, "user".name as inviter
      from auth.invitation
      join auth.organization on organization.id = invitation."organizationId"
      join auth."user" on "user".id = invitation."inviterId"
      where invitation.id::text = $1`,
    [id],
  )
  if (!rows[0]) return null
  const { orgId, slug, name, role, ...invitation } = rows[0]
  return { ...invitation, role: highestRole(role ?? 'member'), organization: { id: orgId, slug, name } }
}

/** What stands in addresses: small letters and digits, single dashes between them. */
export function isSlug(text: string): boolean {
  return text.length <= 48 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text)
}

/** May change members, settings and billing. */
export function isManager(role: MemberRole): boolean {
  return role !== 'member'
}

/** Latin letters that Unicode takes for letters of their own, so that no normalization yields their plain ones. */
const plainLetters: Record<string, string> = {
  ł: 'l',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
}

/** A short name for addresses: `Café Müller & Co` → `cafe-muller-co`, `Łódź Labs` → `lodz-labs`. */
export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[łøđðþßæœħŧı]/g, (letter) => plainLetters[letter] ?? letter)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
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
