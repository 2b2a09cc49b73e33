import type pg from 'pg'
import type { Auth } from './auth.ts'

export const SEEDED_ADMIN = { email: 'admin@example.com', password: 'password', name: 'Ada Admin' }
const SEEDED_ORGANIZATION = { name: 'Acme', slug: 'acme' }

/** An administrator with an organization, for development only: everybody knows the password. Does nothing when there is one. */
export async function seed({ pool, auth }: { pool: pg.Pool; auth: Auth }): Promise<void> {
  const { rowCount } = await pool.query('select from auth."user" where email = $1', [SEEDED_ADMIN.email])
  if (rowCount) return
  const { user } = await auth.api.createUser({
    body: { ...SEEDED_ADMIN, role: 'admin', data: { emailVerified: true } },
  })
  await auth.api.createOrganization({ body: { ...SEEDED_ORGANIZATION, userId: user.id } })
}
