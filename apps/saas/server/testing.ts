import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testDatabase } from 'local-postgres/testing'
import { type App, startApp } from './app.ts'
import { PROJECT_DIRECTORY, readConfig } from './config.ts'
import { SEEDED_ADMIN } from './seed.ts'

export interface Person {
  id: string
  email: string
  /** For the `cookie` header. */
  cookie: string
}

export interface Ask {
  as?: Person | null
  method?: string
  /** Fields of a form; makes it a POST. */
  form?: Record<string, string>
  headers?: Record<string, string>
}

export interface TestApp extends App {
  /** The app's answer; redirects are not followed. */
  ask: (path: string, ask?: Ask) => Promise<Response>
  register: (name: string) => Promise<Person>
  signInAsAdmin: () => Promise<Person>
  /** An organization with this owner and these further members. */
  organization: (slug: string, owner: Person, members?: [Person, 'admin' | 'member'][]) => Promise<string>
}

type Releases = { after: (release: () => unknown) => void }

/** The whole app on a free port with a database, a local Stripe and a data directory of its own; gone after the tests. */
export async function startTestApp(t: Releases, environment: Record<string, string> = {}): Promise<TestApp> {
  buildPages()
  const dataDirectory = mkdtempSync(join(tmpdir(), 'saas-test-'))
  const app = await startApp(
    readConfig({
      DATABASE_URL: await testDatabase(t),
      METERKIT_DATA_DIR: dataDirectory,
      PORT: '0',
      LOG_LEVEL: 'silent',
      SYNC_SCHEDULE: '@yearly',
      ...environment,
    }),
  )
  t.after(async () => {
    await app.stop()
    rmSync(dataDirectory, { recursive: true, force: true })
  })
  const { auth, pool } = app.services

  const signedIn = async (answer: { headers: Headers; response: { user: { id: string; email: string } } }) => ({
    id: answer.response.user.id,
    email: answer.response.user.email,
    cookie: answer.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; '),
  })
  return {
    ...app,
    ask: (path, { as = null, form, method = form ? 'POST' : 'GET', headers = {} } = {}) =>
      fetch(app.url + path, {
        method,
        redirect: 'manual',
        headers: { ...(as ? { cookie: as.cookie } : {}), ...(form ? { origin: app.url } : {}), ...headers },
        ...(form ? { body: new URLSearchParams(form) } : {}),
      }),
    register: async (name) =>
      signedIn(
        await auth.api.signUpEmail({
          body: { name, email: `${name.toLowerCase()}@example.com`, password: 'correct horse' },
          returnHeaders: true,
        }),
      ),
    signInAsAdmin: async () =>
      signedIn(
        await auth.api.signInEmail({
          body: { email: SEEDED_ADMIN.email, password: SEEDED_ADMIN.password },
          returnHeaders: true,
        }),
      ),
    organization: async (slug, owner, members = []) => {
      await auth.api.createOrganization({ body: { name: `The ${slug}`, slug, userId: owner.id } })
      const { rows } = await pool.query<{ id: string }>('select id from auth.organization where slug = $1', [slug])
      const organizationId = rows[0]!.id
      for (const [{ id }, role] of members) await auth.api.addMember({ body: { userId: id, role, organizationId } })
      return organizationId
    },
  }
}

/** As `npm start` does it: only when they have changed. */
export function buildPages(): void {
  const script = `import('./scripts/pages.mjs').then(({ buildPages }) => buildPages(process.execPath, process.env))`
  execFileSync(process.execPath, ['-e', script], { cwd: PROJECT_DIRECTORY, stdio: ['ignore', 'ignore', 'inherit'] })
}
