import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { startTestApp, type TestApp } from './testing.ts'

let app: TestApp
const releases: (() => unknown)[] = []
before(async () => {
  app = await startTestApp({ after: (release) => void releases.push(release) })
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

/** A browser without JavaScript: it keeps cookies, posts forms and follows redirects. */
function browser() {
  const cookies = new Map<string, string>()
  const go = async (path: string, form?: Record<string, string>): Promise<{ path: string; html: string }> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await app.ask(path, { headers: { cookie }, ...(form ? { form } : {}) })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (/max-age=0/i.test(line)) cookies.delete(name!)
      else cookies.set(name!, value!)
    }
    const location = response.headers.get('location')
    if (location) return go(location.startsWith('?') ? path.split('?')[0] + location : location.replace(app.url, ''))
    const html = /<main[\s\S]*<\/main>/.exec(await response.text())?.[0] ?? ''
    return { path, html: html.replaceAll('<!-- -->', '') }
  }
  const signIn = (email: string, password: string) => go('/login', { email, password })
  return { go, signIn }
}

/** The link in the newest mail to this address. */
async function mailedLink(to: string): Promise<string> {
  const { rows } = await app.services.pool.query<{ body: string }>(
    'select body from app.mails where recipient = $1 order by id desc limit 1',
    [to],
  )
  const link = /https?:\/\/\S+/.exec(rows[0]?.body ?? '')?.[0]
  assert.ok(link, `a mail to ${to}`)
  assert.ok(link.startsWith(app.url), link)
  return link.slice(app.url.length)
}

async function audited(action: string): Promise<{ actor_email: string; object: string }[]> {
  const { rows } = await app.services.pool.query('select actor_email, object from app.audit_log where action = $1', [
    action,
  ])
  return rows
}

/** @see https://datatracker.ietf.org/doc/html/rfc6238 with its defaults: SHA-1, 30 seconds, six digits */
function totp(base32: string, at = Date.now()): string {
  const bits = [...base32.replace(/=+$/, '')]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const hash = createHmac('sha1', key).update(counter).digest()
  const offset = hash.at(-1)! & 15
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

const password = 'correct horse'

async function registered(name: string) {
  const visitor = browser()
  const email = `${name.toLowerCase()}@example.com`
  const { path } = await visitor.go('/register', { name, email, password })
  assert.equal(path, '/app/organizations/new')
  return { ...visitor, email }
}

test('what is wrong with a registration is said beside its field, and what was typed stays', async () => {
  const { html, path } = await browser().go('/register', { name: 'Nia', email: 'nia@', password: 'short' })

  assert.equal(path, '/register')
  assert.match(html, /This is not an email address/)
  assert.match(html, /A password has at least 8 characters/)
  assert.match(html, /value="Nia"/)
  assert.match(html, /value="nia@"/)
  assert.doesNotMatch(html, /value="short"/)
})

test('a new person registers and makes an organization; a taken name gets a number', async () => {
  const mara = await registered('Mara')

  const first = await mara.go('/app/organizations/new', { name: 'Café Müller & Co', slug: '' })
  assert.equal(first.path, '/app/org/cafe-muller-co')
  assert.match(first.html, /Café Müller &amp; Co/)
  const second = await mara.go('/app/organizations/new', { name: 'Café Müller & Co', slug: '' })
  assert.equal(second.path, '/app/org/cafe-muller-co-2')
  const refused = await mara.go('/app/organizations/new', { name: 'Other', slug: 'cafe-muller-co' })
  assert.match(refused.html, /is taken/)

  const again = await browser().go('/register', { name: 'Mara', email: mara.email, password })
  assert.match(again.html, /There is an account with this address/)
})

test('a forgotten password is replaced by a link that works once and signs out everywhere else', async () => {
  const olga = await registered('Olga')
  const forgetful = browser()
  await forgetful.go('/forgot-password', { email: olga.email })
  const unknown = await browser().go('/forgot-password', { email: 'nobody@example.com' })
  assert.match(unknown.html, /If there is an account/)

  const link = await mailedLink(olga.email)
  const { path } = await forgetful.go(link, { password: 'another horse' })
  assert.equal(path, '/login?notice=password-changed')

  assert.match((await olga.go('/app/users/profile')).path, /^\/login/)
  assert.match((await olga.signIn(olga.email, password)).html, /do not go together/)
  assert.match((await olga.signIn(olga.email, 'another horse')).path, /^\/app/)
  assert.match((await browser().go(link, { password: 'third horse' })).html, /expired or was used before/)
  assert.match((await browser().go(link)).html, /expired or was used before/) // before one has thought of a password
})

test('an invitation is for its address alone, and admits once', async () => {
  const boss = await registered('Boss')
  await boss.go('/app/organizations/new', { name: 'Works', slug: 'works' })
  const members = '/app/org/works/settings/members'
  await boss.go(members, { intent: 'invite', email: 'guest@example.com', role: 'admin' })
  const link = await mailedLink('guest@example.com')

  assert.match((await browser().go(link)).html, /Sign in to join/)
  const other = await registered('Other')
  assert.match((await other.go(link)).html, /went to another address/)
  const guest = await registered('Guest')
  assert.equal((await guest.go(link, { intent: 'accept' })).path, '/app/org/works')
  assert.match((await guest.go(members)).html, /guest@example\.com/)
  assert.match((await browser().go(link)).html, /withdrawn, answered already, or has expired/)
  assert.deepEqual(await audited('organization.invite'), [{ actor_email: boss.email, object: 'works' }])
})

test('with two factors the password alone opens nothing, and a backup code works once', async () => {
  const tess = await registered('Tess')
  const page = '/app/users/two-factor-authentication'
  assert.match((await tess.go(page, { intent: 'enable', password: 'wrong horse' })).html, /This is not your password/)

  const setup = await tess.go(page, { intent: 'enable', password })
  const uri = /name="uri" value="([^"]+)"/.exec(setup.html)![1]!.replaceAll('&amp;', '&')
  const secret = new URL(uri).searchParams.get('secret')!
  const backupCodes = [...setup.html.matchAll(/name="backupCode" value="([^"]+)"/g)].map(([, code]) => code!)
  assert.equal(backupCodes.length, 10)
  const wrong = String((Number(totp(secret)) + 1) % 1_000_000).padStart(6, '0')
  const mistyped = await tess.go(page, { intent: 'confirm', uri, code: wrong })
  assert.match(mistyped.html, /This code is not right/)
  assert.match(mistyped.html, new RegExp(secret), 'the secret is still shown')
  assert.equal((await tess.go(page, { intent: 'confirm', uri, code: totp(secret) })).path, `${page}?notice=on`)

  const visitor = browser()
  assert.equal((await visitor.signIn(tess.email, password)).path, '/two-factor')
  assert.match((await visitor.go('/app/users/profile')).path, /^\/login/)
  assert.match((await visitor.go('/two-factor', { code: wrong })).html, /This code is not right/)
  assert.match((await visitor.go('/two-factor', { code: totp(secret) })).path, /^\/app/)

  const phoneless = browser()
  await phoneless.signIn(tess.email, password)
  assert.match((await phoneless.go('/two-factor?method=backup', { code: backupCodes[0]! })).path, /^\/app/)
  const thief = browser()
  await thief.signIn(tess.email, password)
  assert.match((await thief.go('/two-factor?method=backup', { code: backupCodes[0]! })).html, /used before/)
})

test('an administrator acts as a user, is led back by signing out, and all of it is written down', async () => {
  const rita = await registered('Rita')
  const admin = browser()
  await admin.signIn('admin@example.com', 'password')
  const { rows } = await app.services.pool.query<{ id: string }>('select id from auth."user" where email = $1', [
    rita.email,
  ])
  const about = { user: rows[0]!.id, email: rita.email }

  await admin.go('/admin/users', { ...about, intent: 'impersonate' })
  assert.match((await admin.go('/app/users/profile')).html, /rita@example\.com/)
  assert.match((await admin.go('/admin/users')).html, /There is no page here/)
  assert.equal((await admin.go('/logout', {})).path, '/admin/users')

  await admin.go('/admin/users', { ...about, intent: 'ban', reason: 'spam' })
  assert.match((await rita.go('/app/users/profile')).path, /^\/login/)
  assert.doesNotMatch((await rita.signIn(rita.email, password)).path, /^\/app/)
  await admin.go('/admin/users', { ...about, intent: 'unban' })
  assert.match((await rita.signIn(rita.email, password)).path, /^\/app/)

  for (const action of ['user.impersonate', 'user.stop_impersonating', 'user.ban', 'user.unban'])
    assert.deepEqual(await audited(action), [{ actor_email: 'admin@example.com', object: rita.email }], action)
  assert.equal((await audited('admin.sign_in')).length, 1)
  assert.match((await admin.go('/admin/audit')).html, /user\.impersonate/)
})

test('a name and a password are changed on the profile page', async () => {
  const paul = await registered('Paul')
  const page = '/app/users/profile'
  assert.match((await paul.go(page, { intent: 'name', name: 'Paula' })).html, /value="Paula"/)
  const wrong = { intent: 'password', currentPassword: 'wrong horse', newPassword: 'another horse' }
  assert.match((await paul.go(page, wrong)).html, /This is not your password/)
  assert.match((await paul.go(page, { ...wrong, currentPassword: password })).html, /Your password is changed/)
  assert.match((await browser().signIn(paul.email, 'another horse')).path, /^\/app/)
})

test('a changed address counts once its link was opened', async () => {
  const nora = await registered('Nora')
  const page = '/app/users/profile'
  await nora.go(page, { intent: 'email', email: 'nora@new.example' })
  assert.match((await nora.go(page)).html, /sign in as nora@example\.com/)

  await nora.go(await mailedLink('nora@new.example').catch(() => mailedLink('nora@example.com')))
  assert.match((await nora.go(page)).html, /sign in as nora@new\.example/)
})
