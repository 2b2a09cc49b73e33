import assert from 'node:assert/strict'
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

test('scripts of a page carry the nonce that its policy names, and no two pages share one', async () => {
  const nonces = new Set<string>()
  for (const path of ['/login', '/login', '/nothing-here']) {
    const response = await app.ask(path)
    const policy = response.headers.get('content-security-policy') ?? ''
    const nonce = /script-src 'self' 'nonce-([^']+)'/.exec(policy)?.[1]
    assert.ok(nonce, policy)
    nonces.add(nonce)
    const scripts = (await response.text()).match(/<script[^>]*>/g) ?? []
    assert.ok(scripts.length > 0, path)
    for (const script of scripts) assert.ok(script.includes(`nonce="${nonce}"`), `${path}: ${script}`)
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(response.headers.get('x-frame-options'), 'DENY')
  }
  assert.equal(nonces.size, 3)
})

test('files with a hash in their name are compressed and kept for ever; others that are missing are not pages', async () => {
  const page = await (await app.ask('/login')).text()
  const asset = /\/assets\/[\w.-]+\.js/.exec(page)?.[0]
  assert.ok(asset)
  const file = await app.ask(asset, { headers: { 'accept-encoding': 'gzip' } })
  assert.match(file.headers.get('cache-control') ?? '', /immutable/)
  assert.equal(file.headers.get('content-encoding'), 'gzip')
  assert.match((await app.ask('/assets/gone.js')).headers.get('content-type') ?? '', /^text\/plain/)
  assert.equal((await app.ask('/assets/../../server/config.ts')).status, 404)
})

test('unknown addresses are 404', async () => {
  for (const path of ['/nothing-here', '//evil.example', '/nothing-here.data'])
    assert.equal((await app.ask(path)).status, 404, path)
})

test('a webhook that Stripe has not signed is refused, and nothing is stored', async () => {
  const response = await fetch(`${app.url}/webhooks/stripe`, {
    method: 'POST',
    body: '{"id":"evt_forged","object":"event","type":"customer.subscription.deleted"}',
    headers: { 'stripe-signature': 't=1,v1=00' },
  })
  assert.equal(response.status, 400)
  const { rows } = await app.services.meterkit.webhooks.list({ search: 'evt_forged' })
  assert.deepEqual(rows, [])
  assert.equal((await app.ask('/webhooks/stripe')).status, 405)
})

test('forms from other sites are refused', async () => {
  const form = { email: 'admin@example.com', password: 'password' }
  const foreign = await app.ask('/login', { form, headers: { origin: 'https://evil.example' } })
  assert.ok(foreign.status >= 400, String(foreign.status))
  assert.equal(foreign.headers.getSetCookie().length, 0)

  const api = await fetch(`${app.url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'https://evil.example', cookie: 'a=b' },
    body: JSON.stringify(form),
  })
  assert.equal(api.status, 403)
})

test('behind a proxy that ends TLS, forms from the public address work, and cookies are for https alone', async (t) => {
  const hidden = await startTestApp(t, { APP_URL: 'https://app.example.com' })
  const signIn = (origin: string) =>
    fetch(`${hidden.localUrl}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin },
      body: new URLSearchParams({ email: 'admin@example.com', password: 'password' }),
    })

  const own = await signIn('https://app.example.com')
  assert.equal(own.headers.get('location'), '/app')
  assert.match(own.headers.getSetCookie().join(), /__Secure-meterkit\.session_token=.*Secure/)
  assert.match(own.headers.get('strict-transport-security') ?? '', /max-age/)
  assert.equal((await signIn('https://evil.example')).status, 400)
})

test('a body that is no form is refused with a sentence, and is no failure of ours', async () => {
  const multipart = 'multipart/form-data; boundary=x'
  const whole = '--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nnobody\r\n--x--\r\n'
  const cases: [path: string, type: string, body: string, status: number, sentence: RegExp][] = [
    ['/login', 'application/json', '{"email":', 415, /not application\/json/],
    ['/login.data', 'text/plain', 'email=a', 415, /not text\/plain/],
    ['/login', multipart, '--x\r\nContent-Disp', 400, /form is broken/],
    ['/login', multipart, whole, 400, /This is not an email address/], // read, and found wrong by the page
    ['/login', 'application/x-www-form-urlencoded', '%%%&&==', 400, /Enter your email address/],
  ]
  for (const [path, type, body, status, sentence] of cases) {
    const headers = { origin: app.url, 'content-type': type }
    const response = await fetch(app.url + path, { method: 'POST', headers, body })
    assert.equal(response.status, status, `${path} ${type} ${body}`)
    assert.match(await response.text(), sentence)
  }
})

test('a request that the browser gave up is no failure of ours', async () => {
  const admin = await app.signInAsAdmin()
  const failures: unknown[] = []
  const quiet: unknown[] = []
  const { log } = app.services
  const { error, info } = log
  const released = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const { events } = app.services.meterkit
  const { counts } = events
  log.error = (facts: object) => void failures.push(facts)
  log.info = (facts: object) => void quiet.push(facts)
  events.counts = async () => {
    asked.resolve()
    await released.promise
    return counts()
  }
  const leaving = new AbortController()
  const request = fetch(`${app.url}/admin/meter-events.data`, {
    headers: { cookie: admin.cookie },
    signal: leaving.signal,
  })
  await asked.promise
  leaving.abort()
  await assert.rejects(request)
  for (let wait = 0; wait < 100 && quiet.length === 0 && failures.length === 0; wait += 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
  Object.assign(log, { error, info })
  Object.assign(events, { counts })
  released.resolve()

  assert.deepEqual(failures, [])
  assert.deepEqual(
    quiet.map((facts) => (facts as { status: number }).status),
    [499],
  )
})

test('a request with too large a body is refused before it is read', async () => {
  const response = await fetch(`${app.url}/login`, {
    method: 'POST',
    // What was not read of it ends the connection, which must not be the next test's.
    headers: { origin: app.url, connection: 'close' },
    body: 'x'.repeat(3 * 1024 * 1024),
  })
  assert.equal(response.status, 413)
})

test('after signing in one arrives at a page of ours, whatever the address asks for', async () => {
  const form = { email: 'admin@example.com', password: 'password' }
  const cases: [next: string, location: string][] = [
    ['/app/organizations?x=1', '/app/organizations?x=1'],
    ['https://evil.example', '/app'],
    ['//evil.example', '/app'],
    ['/\\evil.example', '/app'],
  ]
  for (const [next, location] of cases) {
    const response = await app.ask(`/login?next=${encodeURIComponent(next)}`, { form })
    assert.equal(response.headers.get('location'), location, next)
    assert.match(response.headers.getSetCookie().join(), /session_token=.*HttpOnly.*SameSite=Lax/i)
  }
})

test('guessing passwords through the form ends soon, and claiming another address does not help', async () => {
  const statuses: number[] = []
  for (let attempt = 0; attempt < 30 && statuses.at(-1) !== 429; attempt += 1) {
    const headers = { 'x-forwarded-for': `203.0.113.${attempt}`, 'x-meterkit-client-address': `203.0.113.${attempt}` }
    const form = { email: 'admin@example.com', password: `guess ${attempt}` }
    statuses.push((await app.ask('/login', { form, headers })).status)
  }
  assert.equal(statuses.at(-1), 429)
  assert.ok(statuses.length > 5 && statuses.slice(0, -1).every((status) => status === 401), statuses.join())
})
