import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RouteConfigEntry } from '@react-router/dev/routes'
import { type Person, startTestApp, type TestApp } from './testing.ts'

/** Reading the table of routes needs to know where it lies. */
Object.assign(globalThis, { __reactRouterAppDirectory: fileURLToPath(new URL('../app', import.meta.url)) })
const { default: routes } = await import('../app/routes.ts')

interface PageRoute {
  id: string
  /** With real values in place of the parameters. */
  path: string
}

const values: Record<string, string> = {
  slug: 'acme-inc',
  plan: 'business',
  conversationId: '0193a5b0-0000-7000-8000-000000000000',
  invitationId: '0193a5b0-0000-7000-8000-000000000000',
  eventId: '0193a5b0-0000-7000-8000-000000000000',
  webhookId: 'evt_1',
}

/** Every page of the table, so that a new one cannot be forgotten here. */
function pagesOf(entries: RouteConfigEntry[], base = ''): PageRoute[] {
  return entries.flatMap((entry) => {
    const path = entry.path ? `${base}/${entry.path}` : base
    const concrete = path.replace(/:(\w+)\??/g, (_, name: string) => values[name] ?? `no value for ${name}`)
    const own = entry.file ? [{ id: entry.id ?? entry.file.replace(/\.\w+$/, ''), path: concrete || '/' }] : []
    return [...own, ...pagesOf(entry.children ?? [], path)]
  })
}

const pages = pagesOf(await routes)
const below = (prefix: string) => pages.filter(({ path }) => path === prefix || path.startsWith(`${prefix}/`))
const organizationPages = below('/app/org/acme-inc')
const adminPages = below('/admin')

/** What the browser asks for when it wants one loader's data and no other's: no parent's guard helps then. */
function dataOf({ id, path }: PageRoute): string {
  return `${path}.data?_routes=${encodeURIComponent(id)}`
}

/** A refusal as the data answer tells it: a status, or a redirect inside of a 202. */
async function verdict(response: Response): Promise<string> {
  const { status } = response
  const location = response.headers.get('location')
  if (location) return `redirect ${new URL(location, 'http://x').pathname}`
  const text = await response.text()
  if (status === 202) return `redirect ${/"(\/[^"?]*)[^"]*"/.exec(text)?.[1]}`
  return String(status)
}

describe('organizations pay', () => {
  let app: TestApp
  const people: Record<'owner' | 'admin' | 'member' | 'stranger' | 'operator', Person> = {} as never
  const releases: (() => unknown)[] = []

  before(async () => {
    app = await startTestApp({ after: (release) => void releases.push(release) })
    for (const name of ['Owner', 'Admin2', 'Member', 'Stranger'] as const) {
      const key = name.replace('2', '').toLowerCase() as keyof typeof people
      people[key] = await app.register(name)
    }
    people.operator = await app.signInAsAdmin()
    await app.organization('acme-inc', people.owner, [
      [people.admin, 'admin'],
      [people.member, 'member'],
    ])
    await app.organization('elsewhere', people.stranger)
  })
  after(async () => {
    for (const release of releases.toReversed()) await release()
  })

  test('the table of routes was read', () => {
    assert.ok(organizationPages.length >= 14, `${organizationPages.length} pages of an organization`)
    assert.ok(adminPages.length >= 12, `${adminPages.length} pages for administrators`)
  })

  test('who is signed out is led to the sign-in page, whatever is asked for', async () => {
    for (const page of [...below('/app'), ...adminPages]) {
      if (page.id === 'billing/live' || page.path.endsWith('-stream')) continue
      for (const path of [page.path, `${page.path}.data`, dataOf(page)]) {
        const response = await app.ask(path)
        assert.equal(await verdict(response), 'redirect /login', `${path} (${page.id})`)
      }
    }
  })

  test('a program that is signed out gets 401', async () => {
    const stream = await app.ask('/app/org/acme-inc/ai-chat-stream', {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: app.url },
    })
    assert.equal(stream.status, 401)
    const live = await app.ask('/app/org/acme-inc/billing/live', { headers: { accept: 'text/event-stream' } })
    assert.equal(live.status, 401)
  })

  test('no page of an organization exists for strangers and for administrators who are no members', async () => {
    for (const page of organizationPages) {
      for (const path of [page.path, `${page.path}.data`, dataOf(page)])
        for (const who of ['stranger', 'operator'] as const) {
          const response = await app.ask(path, { as: people[who] })
          const told = await verdict(response)
          // What takes forms only has nothing to give to anyone.
          assert.ok(told === '404' || (told === '405' && page.path.endsWith('-stream')), `${path} as ${who}: ${told}`)
        }
    }
  })

  test('no page of an administrator exists for anyone else', async () => {
    for (const page of adminPages)
      for (const path of [page.path, `${page.path}.data`, dataOf(page)]) {
        const response = await app.ask(path, { as: people.owner })
        assert.equal(await verdict(response), '404', `${path} (${page.id})`)
      }
    for (const path of ['/admin/jobs', '/admin/jobs/queues', '/admin/jobs.data'])
      assert.equal((await app.ask(path, { as: people.owner })).status, 404, path)
    assert.equal((await app.ask('/admin/jobs', { as: people.operator })).status, 200)
  })

  test('a lost role counts at once', async () => {
    const { pool } = app.services
    const setRole = (role: string) =>
      pool.query('update auth."user" set role = $1 where id = $2', [role, people.member.id])

    await setRole('admin')
    assert.equal((await app.ask('/admin/users', { as: people.member })).status, 200)
    await setRole('user')
    assert.equal((await app.ask('/admin/users', { as: people.member })).status, 404)
  })

  test('members read, but change neither settings nor members nor billing', async () => {
    const settings = '/app/org/acme-inc/settings'
    assert.equal((await app.ask(settings, { as: people.member })).status, 200)

    const attempts: [path: string, form: Record<string, string>][] = [
      [`${settings}?index`, { name: 'Mine', slug: 'mine' }],
      [`${settings}/members`, { intent: 'invite', email: 'friend@example.com', role: 'admin' }],
      [`${settings}/members`, { intent: 'role', member: people.member.id, role: 'owner' }],
      [`${settings}/members`, { intent: 'remove', member: people.owner.id }],
    ]
    for (const [path, form] of attempts)
      assert.equal((await app.ask(path, { as: people.member, form })).status, 403, `${path} ${form.intent ?? ''}`)

    for (const page of ['checkout/business', 'billing/portal', 'billing/cancel', 'billing/switch/business']) {
      const response = await app.ask(`/app/org/acme-inc/${page}`, { as: people.member, form: { when: 'now' } })
      assert.equal(response.status, 403, page)
    }
    const { rows } = await app.services.pool.query("select name from auth.organization where slug = 'acme-inc'")
    assert.deepEqual(rows, [{ name: 'The acme-inc' }])
  })

  test('an admin cannot make himself an owner, and the last owner cannot go', async () => {
    const members = '/app/org/acme-inc/settings/members'
    const { rows } = await app.services.pool.query<{ id: string; userId: string }>(
      `select member.id, member."userId" from auth.member join auth.organization on organization.id = "organizationId"
       where slug = 'acme-inc'`,
    )
    const memberId = (person: Person) => rows.find(({ userId }) => userId === person.id)!.id

    const promotion = { intent: 'role', member: memberId(people.admin), role: 'owner' }
    assert.equal((await app.ask(members, { as: people.admin, form: promotion })).status, 400)
    const removal = { intent: 'remove', member: memberId(people.owner) }
    assert.equal((await app.ask(members, { as: people.admin, form: removal })).status, 400)
    const departure = await app.ask(members, { as: people.owner, form: { intent: 'leave' } })
    assert.equal(departure.status, 400)
    assert.match(await departure.text(), /keeps at least one owner/)
  })

  test('the database itself keeps an owner in every organization', async () => {
    const attempt = app.services.pool.query(
      `update auth.member set role = 'member' where role = 'owner'
       and "organizationId" = (select id from auth.organization where slug = 'acme-inc')`,
    )
    await assert.rejects(attempt, /keeps at least one owner/)
  })

  test('ids of another organization open nothing', async () => {
    const { rows } = await app.services.pool.query<{ id: string }>('select id from auth.member where "userId" = $1', [
      people.stranger.id,
    ])
    const form = { intent: 'remove', member: rows[0]!.id }
    const removal = await app.ask('/app/org/acme-inc/settings/members', { as: people.owner, form })
    assert.equal(removal.status, 400)

    const invite = { intent: 'invite', email: 'new@example.com', role: 'member' }
    await app.ask('/app/org/elsewhere/settings/members', { as: people.stranger, form: invite })
    const invitation = await app.services.pool.query<{ id: string }>(
      "select id from auth.invitation where email = 'new@example.com'",
    )
    const cancel = { intent: 'cancel-invitation', invitation: invitation.rows[0]!.id }
    assert.equal((await app.ask('/app/org/acme-inc/settings/members', { as: people.owner, form: cancel })).status, 400)
    const accept = await app.ask(`/invitations/${invitation.rows[0]!.id}`, {
      as: people.member,
      form: { intent: 'accept' },
    })
    assert.equal(accept.status, 403)
  })

  test('nobody ends the session of somebody else', async () => {
    const { rows } = await app.services.pool.query<{ id: string }>('select id from auth.session where "userId" = $1', [
      people.owner.id,
    ])
    await app.ask('/app/users/sessions', { as: people.stranger, form: { session: rows[0]!.id } })
    assert.equal((await app.ask('/app/organizations', { as: people.owner })).status, 200)
  })

  test('the pages of a paying user do not exist where organizations pay', async () => {
    for (const page of ['subscribe', 'ai-chat', 'billing', 'billing/live', 'subscribe.data', 'billing.data'])
      assert.equal((await app.ask(`/app/${page}`, { as: people.owner })).status, 404, page)
  })

  test('without a subscription the chat leads to the plans, and its API answers 402', async () => {
    const chat = await app.ask('/app/org/acme-inc/ai-chat', { as: people.member })
    assert.equal(chat.headers.get('location'), '/app/org/acme-inc/subscribe?reason=no-subscription')
    const data = await app.ask('/app/org/acme-inc/ai-chat.data', { as: people.member })
    assert.equal(await verdict(data), 'redirect /app/org/acme-inc/subscribe')
    const api = await app.ask('/app/org/acme-inc/ai-chat-stream', {
      as: people.member,
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: app.url },
    })
    assert.equal(api.status, 402)
  })
})

describe('users pay', () => {
  test('the pages of a paying organization do not exist, its own pages do', async (t) => {
    const app = await startTestApp(t, { BILLING_SOURCE: 'user' })
    const owner = await app.register('Owner')
    await app.organization('acme-inc', owner)

    for (const page of ['subscribe', 'ai-chat', 'settings/billing', 'billing/live', 'subscribe.data', 'ai-chat.data'])
      assert.equal((await app.ask(`/app/org/acme-inc/${page}`, { as: owner })).status, 404, page)
    for (const page of ['/app/subscribe', '/app/billing', '/app/org/acme-inc', '/app/org/acme-inc/settings/members'])
      assert.equal((await app.ask(page, { as: owner })).status, 200, page)
  })
})
