import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { essential, receiver, world } from '../../../test/world.ts'

const START = '2026-11-01T00:00:00Z'

async function dashboard(t: TestContext) {
  const { local, stripe } = await world(t, START)
  const get = async (path: string) => await (await fetch(local.url + path)).text()
  const post = (path: string, form: { [field: string]: string } = {}) =>
    fetch(local.url + path, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })
  /** Follows the redirect after a post, as a browser does. */
  const act = async (path: string, form?: { [field: string]: string }) => {
    const answer = await post(path, form)
    assert.equal(answer.status, 303, path)
    return await get(answer.headers.get('location') ?? '')
  }
  return { local, stripe, get, post, act }
}

test('an empty local Stripe says on every page what to do next', async (t) => {
  const { get } = await dashboard(t)
  const cases: [path: string, said: RegExp][] = [
    ['/', /Nothing has happened yet/],
    ['/dashboard/customers', /No customers yet/],
    ['/dashboard/subscriptions', /No subscriptions yet/],
    ['/dashboard/meters', /No meters yet/],
    ['/dashboard/invoices', /No invoices yet/],
    ['/dashboard/events', /Nothing has happened yet/],
    ['/dashboard/deliveries', /Nothing was sent yet/],
    ['/dashboard/clock', /No subscription has a period that could end/],
  ]
  for (const [path, said] of cases) assert.match(await get(path), said, path)
})

test('the overview says how to connect, with the key, and pages say the business by its name', async (t) => {
  const { local, stripe } = await world(t, START, { businessName: 'Acme & Sons' })
  const page = await (await fetch(local.url)).text()
  assert.ok(page.includes(`<code>${local.secretKey}</code>`))
  assert.ok(page.includes(`port: ${local.port},`))

  const { price } = await essential(stripe, local)
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: price.id }],
    success_url: 'https://shop.example',
  })
  assert.match(await (await fetch(session.url!)).text(), /you allow Acme &amp; Sons to charge/)
  assert.equal((await stripe.accounts.retrieveCurrent()).business_profile?.name, 'Acme & Sons')
})

test('usage, its subscription and its invoice are found from the customer', async (t) => {
  const { local, stripe, get, act } = await dashboard(t)
  const { meter, price, customer, use } = await essential(stripe, local)
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await use('12345', new Date(START))

  assert.match(await get(`/dashboard/meters/${meter.id}`), /priya@example\.com[\s\S]*12,345/)
  assert.match(
    await get(`/dashboard/customers/${customer.id}`),
    new RegExp(`/dashboard/subscriptions/${subscription.id}`),
  )
  const page = await get(`/dashboard/subscriptions/${subscription.id}`)
  assert.match(page, /Upcoming invoice<\/dt><dd>\$0\.65/) // 13 packages begun × $0.05
  assert.match(page, /<td class="number">12,345</)

  const happened = await act('/dashboard/clock', { by: 'period' })
  assert.match(happened, /What happened[\s\S]*invoice\.created/)
  const [draft] = (await stripe.invoices.list({ status: 'draft' })).data
  assert.match(await act(`/dashboard/invoices/${draft!.id}/finalize`), /data-label="Amount">\$0\.65/)
})

test('the clock moves by hour, by day, to the next period end and to a time, never back', async (t) => {
  const { local, stripe, get, post, act } = await dashboard(t)
  await act('/dashboard/clock', { by: 'hour' })
  assert.equal(local.now().toISOString(), '2026-11-01T01:00:00.000Z')
  await act('/dashboard/clock', { by: 'day' })
  assert.equal(local.now().toISOString(), '2026-11-02T01:00:00.000Z')
  assert.equal((await post('/dashboard/clock', { by: 'period' })).status, 422)
  assert.match(await (await post('/dashboard/clock', { to: '2026-11-01T00:00' })).text(), /only moves forward/)
  await act('/dashboard/clock', { to: '2026-11-05T12:00' })
  assert.equal(local.now().toISOString(), '2026-11-05T12:00:00.000Z')

  const { price, customer } = await essential(stripe, local)
  await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await act('/dashboard/clock', { by: 'day' })
  const later = await stripe.customers.create({ name: 'Acme', payment_method: 'pm_card_visa' })
  const second = await stripe.subscriptions.create({ customer: later.id, items: [{ price: price.id }] })
  assert.match(
    await get('/dashboard/clock'),
    /priya@example\.com's period ends <time datetime="2026-12-05T12:00:00.000Z"[\s\S]*Acme<\/a>/,
  )
  await act('/dashboard/clock', { by: 'period' })
  assert.equal(local.now().toISOString(), '2026-12-05T12:00:00.000Z')
  await act('/dashboard/clock', { by: 'period', subscription: second.id }) // a day later, as it began a day later
  assert.equal(local.now().toISOString(), '2026-12-06T12:00:00.000Z')
})

test('a failed delivery shows request and answer, and is sent again', async (t) => {
  const { local, stripe, get, act } = await dashboard(t)
  const status = { answer: 500 }
  const hook = await receiver(t, () => status.answer)
  await stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['customer.created'] })
  await stripe.customers.create({ name: 'Ada' })
  await local.idle()

  const before = await get('/dashboard/deliveries')
  assert.match(before, /customer\.created[\s\S]*answered 500[\s\S]*&quot;name&quot;: &quot;Ada&quot;/)
  status.answer = 200
  const id = before.match(/\/dashboard\/deliveries\/(whd_\w+)\/resend/)?.[1]
  const after = await act(`/dashboard/deliveries/${id}/resend`)
  await local.idle()
  assert.equal(hook.received.length, 2)
  assert.match(after, /Sent once more/)
  assert.match(await get('/dashboard/deliveries'), /answered 200/)
})

test('faults are switched on, shown as they count down, and off', async (t) => {
  const { local, get, post, act } = await dashboard(t)
  await act('/dashboard/faults', {
    'answer-count': '2',
    'answer-status': '429',
    'answer-path': '/v1/customers',
    'delay-always': 'on',
    'delay-milliseconds': '5',
    'webhooks-count': '3',
    'webhooks-mode': 'reorder',
  })
  assert.deepEqual(local.faults.read(), {
    answer: { status: 429, count: 2, path: '/v1/customers', afterWork: false },
    delay: { milliseconds: 5, count: Number.POSITIVE_INFINITY },
    webhooks: { mode: 'reorder', count: 3 },
  })
  const headers = { authorization: `Bearer ${local.secretKey}` }
  assert.equal((await fetch(`${local.url}/v1/customers`, { headers })).status, 429)
  assert.match(await get('/dashboard/faults'), /id="answer-count"[^>]*value="1"/)

  const refused = await post('/dashboard/faults', { 'answer-count': 'many', 'answer-path': 'v1' })
  assert.equal(refused.status, 422)
  assert.match(await refused.text(), /id="answer-count-error"[\s\S]*id="answer-path-error"/)

  await act('/dashboard/faults', { off: 'yes' })
  assert.deepEqual(local.faults.read(), {})
})

test('long lists are paged in both directions, and filters stay', async (t) => {
  const { stripe, get } = await dashboard(t)
  for (let index = 0; index < 30; index++) await stripe.customers.create({ email: `user${index}@example.com` })
  const links = (page: string) =>
    Object.fromEntries([...page.matchAll(/href="([^"]+)">(Older|Newer)</g)].map(([, href, label]) => [label, href]))
  const emails = (page: string) => [...page.matchAll(/>(user\d+)@example/g)].map(([, name]) => name)

  const first = await get('/dashboard/customers')
  assert.equal(emails(first).length, 25)
  assert.deepEqual(Object.keys(links(first)), ['Older'])
  const second = await get(links(first).Older!)
  assert.deepEqual(emails(second), ['user4', 'user3', 'user2', 'user1', 'user0'])
  assert.deepEqual(emails(await get(links(second).Newer!)), emails(first))

  const events = await get('/dashboard/events?type=customer.*')
  assert.match(links(events).Older!, /type=customer\.\*|type=customer\.%2A/)
})

test('forms from other sites change nothing', async (t) => {
  const { local } = await dashboard(t)
  const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const body = new URLSearchParams({ by: 'day' })
  assert.equal((await fetch(`${local.url}/dashboard/clock`, { method: 'POST', body, headers })).status, 403)
  assert.equal(local.now().toISOString(), new Date(START).toISOString())
})

test('an id that names nothing gets a page that says so', async (t) => {
  const { local } = await dashboard(t)
  const answer = await fetch(`${local.url}/dashboard/customers/cus_none`)
  assert.equal(answer.status, 404)
  assert.match(await answer.text(), /No such customer: &#39;cus_none&#39;/)
})

test('cards are declined, usage is rejected later and requests hang, as often as was chosen', async (t) => {
  const { local, stripe, get, act } = await dashboard(t)
  const { customer, use } = await essential(stripe, local)
  await act('/dashboard/faults', {
    'declines-count': '1',
    'declines-code': 'insufficient_funds',
    'rejections-count': '1',
    'rejections-code': 'meter_event_invalid_value',
    'hang-count': '1',
    'hang-path': '/v1/products',
  })
  const pay = () =>
    stripe.paymentIntents.create({
      amount: 500,
      currency: 'usd',
      customer: customer.id,
      payment_method: 'pm_card_visa',
      confirm: true,
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    })
  await assert.rejects(pay(), { code: 'card_declined', decline_code: 'insufficient_funds' })
  assert.equal((await pay()).status, 'succeeded')
  assert.match(await get('/dashboard/payments'), /requires payment method[\s\S]*Your card has insufficient funds/)

  await use('7', new Date(START))
  await use('8', new Date(START))
  const received = await get('/dashboard/meter-events')
  assert.match(
    received,
    /counted[\s\S]*<td class="number">8<[\s\S]*rejected[\s\S]*meter_event_invalid_value[\s\S]*<td class="number">7</,
  )
  assert.match(await get('/dashboard/meter-events?state=rejected'), /class="number">7</)

  const headers = { authorization: `Bearer ${local.secretKey}` }
  const hung = fetch(`${local.url}/v1/products`, { headers, signal: AbortSignal.timeout(100) })
  await assert.rejects(hung, { name: 'TimeoutError' })
  assert.equal((await fetch(`${local.url}/v1/products`, { headers })).status, 200)
  assert.match(await get('/dashboard/requests?path=products'), /positive">200[\s\S]*danger">cut/)
})

test('requests are listed with their answers, and lead from the event they caused', async (t) => {
  const { stripe, get } = await dashboard(t)
  await stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'ada-1' })
  await stripe.prices.create({ currency: 'usd', product: 'prod_none', unit_amount: 5 }).catch(() => {})
  assert.match(
    await get('/dashboard/requests'),
    /POST \/v1\/prices[\s\S]*warning">400[\s\S]*POST \/v1\/customers[\s\S]*positive">200/,
  )
  const failed = await get('/dashboard/requests?outcome=failed')
  assert.ok(failed.includes('/v1/prices') && !failed.includes('POST /v1/customers<'))

  const event = (await get('/dashboard/events')).match(/href="(\/dashboard\/events\/evt_\w+)"/)?.[1]
  const request = (await get(event ?? '')).match(/href="(\/dashboard\/requests\/req_\w+)"/)?.[1]
  const page = await get(request ?? '')
  assert.match(
    page,
    /ada-1[\s\S]*<code>name<\/code>[\s\S]*<code>Ada<\/code>[\s\S]*&quot;object&quot;: &quot;customer&quot;/,
  )
})

test('customers are found by the beginning of address, name or id, whatever the case', async (t) => {
  const { stripe, get } = await dashboard(t)
  const ada = await stripe.customers.create({ name: 'Ada Lovelace', email: 'countess@example.com' })
  await stripe.customers.create({ name: 'Grace Hopper', email: 'admiral@example.com' })
  for (const words of ['ada l', 'COUNT', ada.id]) {
    const page = await get(`/dashboard/customers?q=${encodeURIComponent(words)}`)
    assert.ok(page.includes('countess@example.com') && !page.includes('admiral@'), words)
  }
  assert.match(await get('/dashboard/customers?q=lovelace'), /begins with this/)
})

test('products show their prices, readings their defaults, a meter its usage by day', async (t) => {
  const { local, stripe, get } = await dashboard(t)
  const { meter, customer, use } = await essential(stripe, local)
  await use('1200', new Date('2026-10-30T10:00:00Z'))
  await use('34', new Date(START))
  assert.match(await get('/dashboard/products'), /Essential<\/a>[\s\S]*\$0\.05 per 1,000 units/)
  assert.match(await get('/dashboard/readings'), /portalUpdatesMetered[\s\S]*<code>false<\/code>/)

  const page = await get(`/dashboard/meters/${meter.id}?range=7+days&customer=${customer.id}`)
  // Of the seven days up to Nov 1, Oct 26 is the first.
  assert.match(page, /aria-label="1,234 from Oct 26 to Nov 1, at most 1,200 in one day\."/)
  assert.match(page, /<title>Oct 30: 1,200<\/title>/)
})

test('test clocks are made, moved and deleted', async (t) => {
  const { stripe, get, act } = await dashboard(t)
  await act('/dashboard/clock/test-clocks', { name: 'March', frozen: '2027-03-01T00:00' })
  const [clock] = (await stripe.testHelpers.testClocks.list()).data
  assert.equal(clock?.frozen_time, Date.parse('2027-03-01T00:00Z') / 1000)

  await act(`/dashboard/clock/test-clocks/${clock.id}`, { by: 'month' })
  for (let tries = 0; tries < 100; tries++) {
    if ((await stripe.testHelpers.testClocks.retrieve(clock.id)).status === 'ready') break
  }
  const moved = await stripe.testHelpers.testClocks.retrieve(clock.id)
  assert.equal(moved.frozen_time, Date.parse('2027-04-01T00:00Z') / 1000)

  await act(`/dashboard/clock/test-clocks/${clock.id}`, { by: 'delete' })
  assert.ok(!(await get('/dashboard/clock')).includes(clock.id))
})

test('an endpoint is disabled and enabled again', async (t) => {
  const { stripe, act } = await dashboard(t)
  const hook = await receiver(t)
  const { id } = await stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['*'] })
  await act(`/dashboard/deliveries/endpoints/${id}`, { enable: 'no' })
  assert.equal((await stripe.webhookEndpoints.retrieve(id)).status, 'disabled')
  await act(`/dashboard/deliveries/endpoints/${id}`, { enable: 'yes' })
  assert.equal((await stripe.webhookEndpoints.retrieve(id)).status, 'enabled')
})

test('a product may be called anything, by its id, too', async (t) => {
  const { local, stripe, get } = await dashboard(t)
  const { price, customer } = await essential(stripe, local)
  const { id } = await stripe.products.create({ id: 'plans/2026 "?#%', name: 'Odd' })
  const odd = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 900,
    recurring: { interval: 'month' },
    product: id,
  })
  await stripe.subscriptions.create({ customer: customer.id, items: [{ price: odd.id }, { price: price.id }] })
  const link = `/dashboard/products/${encodeURIComponent(id)}`
  assert.ok((await get('/dashboard/products')).includes(`href="${link}"`))
  assert.match(await get(link), /<h1[^>]*>Odd[\s\S]*\$9\.00/)
  assert.match(await get('/dashboard/subscriptions'), /Odd, Essential|Essential, Odd/)
})
