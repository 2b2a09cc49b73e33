import type pg from 'pg'

export interface UserRow {
  id: string
  name: string
  email: string
  role: 'admin' | 'user'
  twoFactorEnabled: boolean
  banned: boolean
  banReason: string | null
  createdAt: Date
  organizations: number
}

export interface OrganizationRow {
  id: string
  slug: string
  name: string
  createdAt: Date
  members: number
  owner: string | null
}

export interface DirectoryPage<Row> {
  rows: Row[]
  total: number
  /** For the address of the next page; null on the last. */
  next: string | null
}

const PAGE_ROWS = 50

export interface DirectoryFilter {
  search?: string
  /** The id of the last row already seen. */
  after?: string | null
}

/** All users, the newest first; a search looks at name and address. */
export async function listUsers(pool: pg.Pool, filter: DirectoryFilter): Promise<DirectoryPage<UserRow>> {
  const matches = /* sql */ `($1::text = '' or "user".name ilike '%' || $1 || '%' or "user".email ilike '%' || $1 || '%')`
  const { rows } = await pool.query<Omit<UserRow, 'role'> & { role: string | null }>(
    /* sql */ `
      select "user".id, "user".name, "user".email, "user".role, "user"."createdAt",
             coalesce("user"."twoFactorEnabled", false) as "twoFactorEnabled",
             coalesce("user".banned, false) as banned, "user"."banReason" as "banReason",
             (select count(*)::int from auth.member where member."userId" = "user".id) as organizations
      from auth."user"
      left join auth."user" as seen on seen.id::text = $2::text
      where ${matches} and (seen.id is null or ("user"."createdAt", "user".id) < (seen."createdAt", seen.id))
      order by "user"."createdAt" desc, "user".id desc
      limit ${PAGE_ROWS} + 1`,
    [filter.search ?? '', filter.after ?? null],
  )
  const total = await count(pool, `auth."user" where ${matches}`, filter)
  return page(
    rows.map((row) => ({ ...row, role: row.role === 'admin' ? 'admin' : 'user' })),
    total,
  )
}

/** All organizations, the newest first; a search looks at name and slug. */
export async function listOrganizations(
  pool: pg.Pool,
  filter: DirectoryFilter,
): Promise<DirectoryPage<OrganizationRow>> {
  const matches = /* sql */ `($1::text = '' or organization.name ilike '%' || $1 || '%' or organization.slug ilike '%' || $1 || '%')`
  const { rows } = await pool.query<OrganizationRow>(
    /* sql */ `
      select organization.id, organization.slug, organization.name, organization."createdAt",
             (select count(*)::int from auth.member where member."organizationId" = organization.id) as members,
             (select "user".email from auth.member join auth."user" on "user".id = member."userId"
              where member."organizationId" = organization.id and 'owner' = any (string_to_array(member.role, ','))
              order by member."createdAt" limit 1) as owner
      from auth.organization
      left join auth.organization as seen on seen.id::text = $2::text
      where ${matches}
        and (seen.id is null or (organization."createdAt", organization.id) < (seen."createdAt", seen.id))
      order by organization."createdAt" desc, organization.id desc
      limit ${PAGE_ROWS} + 1`,
    [filter.search ?? '', filter.after ?? null],
  )
  return page(rows, await count(pool, `auth.organization where ${matches}`, filter))
}

async function count(pool: pg.Pool, from: string, { search = '' }: DirectoryFilter): Promise<number> {
  const { rows } = await pool.query<{ total: number }>(`select count(*)::int as total from ${from}`, [search])
  return rows[0]!.total
}

function page<Row extends { id: string }>(found: Row[], total: number): DirectoryPage<Row> {
  const rows = found.slice(0, PAGE_ROWS)
  return { rows, total, next: found.length > PAGE_ROWS ? rows.at(-1)!.id : null }
}
