import assert from 'node:assert/strict'
import { get } from 'node:http'
import { test } from 'node:test'
import { Stripe } from 'stripe'
import { essential, world } from './world.ts'

const NOW = '2026-03-10T12:00:00Z'
type WireError = { type: string; code?: string; param?: string; message: string; doc_url?: string }

/** A call as curl would make it. */
async function call(
  local: { url: string; secretKey: string },
  method: string,
  path: string,
  options: { body?: string; headers?: { [name: string]: string } } = {},
) {
  const response = await fetch(local.url + path, {
    method,
    headers: {
      authorization: `Bearer ${local.secretKey}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...options.headers,
    },
    ...(options.body !== undefined && { body: options.body }),
  })
  const answer = (await response.json()) as { [key: string]: unknown; error: WireError }
  return { status: response.status, headers: response.headers, answer, error: answer.error }
}

test('refusals carry the words, code and parameter of Stripe', async (t) => {
  const { local } = await world(t, NOW)
  const cases: [method: string, path: string, body: string | undefined, status: number, error: Partial<WireError>][] = [
    [
      'GET',
      '/v1/foo',
      undefined,
      404,
      {
        message:
          'Unrecognized request URL (GET: /v1/foo). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.',
      },
    ],
    [
      'GET',
      '/v1/customers/cus_nope',
      undefined,
      404,
      { code: 'resource_missing', param: 'id', message: "No such customer: 'cus_nope'" },
    ],
    [
      'POST',
      '/v1/customers',
      'emial=a',
      400,
      { code: 'parameter_unknown', param: 'emial', message: 'Received unknown parameter: emial' },
    ],
    ['POST', '/v1/customers', 'a=1&b=2', 400, { message: 'Received unknown parameters: a, b' }],
    [
      'POST',
      '/v1/products',
      'active=true',
      400,
      { code: 'parameter_missing', param: 'name', message: 'Missing required param: name.' },
    ],
    ['POST', '/v1/products', 'name=', 400, { code: 'parameter_invalid_empty', param: 'name' }],
    [
      'POST',
      '/v1/customers',
      'balance=abc',
      400,
      { code: 'parameter_invalid_integer', param: 'balance', message: 'Invalid integer: abc' },
    ],
    [
      'GET',
      '/v1/customers?limit=101',
      undefined,
      400,
      { param: 'limit', message: "This value must be less than or equal to 100 (it currently is '101')." },
    ],
    [
      'GET',
      '/v1/customers?starting_after=cus_nope',
      undefined,
      400,
      { code: 'resource_missing', param: 'starting_after' },
    ],
    [
      'POST',
      '/v1/subscriptions',
      'customer=cus_nope&items[0][price]=price_nope',
      400,
      { code: 'resource_missing', param: 'customer' },
    ],
    [
      'POST',
      '/v1/checkout/sessions',
      'mode=subscription&success_url=https%3A%2F%2Fexample.com&line_items[0][quantity]=1',
      400,
      {
        code: 'parameter_missing',
        param: 'line_items[0][price]',
        message: 'Missing required param: line_items[0][price].',
      },
    ],
    [
      'POST',
      '/v1/checkout/sessions',
      'mode=subscription&payment_method_types[]=card',
      400,
      { code: 'parameter_unknown', param: 'payment_method_types' },
    ],
    [
      'POST',
      '/v1/prices',
      'currency=usd&recurring[interval]=fortnight',
      400,
      { param: 'recurring[interval]', message: 'Invalid interval: must be one of day, month, week, or year' },
    ],
  ]
  for (const [method, path, body, status, expected] of cases) {
    const { status: actual, error } = await call(local, method, path, body === undefined ? {} : { body })
    assert.equal(actual, status, path)
    assert.equal(error.type, 'invalid_request_error')
    for (const [name, value] of Object.entries(expected))
      assert.equal(error[name as keyof WireError], value, `${path} ${name}`)
  }
})

test('without a key, with a wrong one, and with Basic authentication', async (t) => {
  const { local } = await world(t, NOW)
  const absent = await call(local, 'GET', '/v1/customers', { headers: { authorization: '' } })
  assert.equal(absent.status, 401)
  assert.match(absent.error.message, /^You did not provide an API key/)
  const wrong = await call(local, 'GET', '/v1/customers', { headers: { authorization: 'Bearer sk_test_12345678abcd' } })
  assert.equal(wrong.error.message, 'Invalid API Key provided: sk_test_********abcd')
  const basic = await call(local, 'GET', '/v1/customers', {
    headers: { authorization: `Basic ${btoa(`${local.secretKey}:`)}` },
  })
  assert.equal(basic.status, 200)
})

test('versions: the pinned one, newer and older', async (t) => {
  const { local } = await world(t, NOW)
  const version = async (name: string) =>
    await call(local, 'GET', '/v1/customers', { headers: { 'stripe-version': name } })
  assert.equal((await version('2026-10-28.endive')).headers.get('stripe-notice'), null)
  assert.match((await version('2025-03-31.basil')).headers.get('stripe-notice') ?? '', /2026-10-28.endive/)
  assert.equal((await version('2024-06-20')).status, 400)
  assert.equal((await version('yesterday')).status, 400)
})

test('arrays may be written with empty brackets', async (t) => {
  const { local } = await world(t, NOW)
  const body = 'url=http%3A%2F%2Flocalhost%3A1%2F&enabled_events[]=invoice.paid&enabled_events[]=invoice.created'
  const { answer } = await call(local, 'POST', '/v1/webhook_endpoints', { body })
  assert.deepEqual(answer.enabled_events, ['invoice.paid', 'invoice.created'])
})

test('a key that is still being worked on is a conflict', async (t) => {
  const { local, stripe } = await world(t, NOW)
  local.faults.delay(200, 1, '/v1/customers')
  const options = { idempotencyKey: 'same' }
  const [first, second] = await Promise.allSettled([
    stripe.customers.create({ name: 'a' }, options),
    stripe.customers.create({ name: 'a' }, options),
  ])
  const refused = [first, second].find((result) => result.status === 'rejected')
  assert.equal(refused?.reason.statusCode, 409)
  assert.equal(refused?.reason.code, 'idempotency_key_in_use')
  assert.equal((await stripe.customers.list()).data.length, 1)
})

test('faults: lost answers, cut connections, statuses before and after the work', async (t) => {
  const { local, stripe } = await world(t, NOW)
  local.faults.loseAnswers(2) // the SDK asks once more by itself, even with no retries
  await assert.rejects(stripe.customers.create({ name: 'lost' }), Stripe.errors.StripeConnectionError)
  assert.deepEqual(
    (await stripe.customers.list()).data.map(({ name }) => name),
    ['lost'],
  )
  local.faults.dropRequests(2, '/v1/customers')
  await assert.rejects(stripe.customers.create({ name: 'dropped' }), Stripe.errors.StripeConnectionError)
  local.faults.answer(429, 1, '/v1/customers')
  await assert.rejects(stripe.customers.create({ name: 'limited' }), Stripe.errors.StripeRateLimitError)
  local.faults.answer(500, 1, '/v1/customers', true)
  await assert.rejects(stripe.customers.create({ name: 'done all the same' }), { statusCode: 500 })
  assert.deepEqual(
    (await stripe.customers.list()).data.map(({ name }) => name),
    ['done all the same', 'lost'],
  )
  assert.deepEqual(local.faults.read().answer?.count, 0)
  assert.equal(local.requestCount('/v1/customers'), 8)
})

test('refusals of v2 have a code and no type', async (t) => {
  const { local } = await world(t, NOW)
  const headers = { 'content-type': 'application/json' }
  const invalid = await call(local, 'POST', '/v2/core/event_destinations', { body: '{"name":"x"}', headers })
  assert.deepEqual([invalid.status, Object.keys(invalid.error).toSorted()], [400, ['code', 'message']])
  assert.equal(invalid.error.code, 'invalid_fields')
  const missing = await call(local, 'GET', '/v2/core/event_destinations/ed_nope')
  assert.deepEqual([missing.status, missing.error.code], [404, 'not_found'])
})

test('a v2 body is a JSON object', async (t) => {
  const { local } = await world(t, NOW)
  const headers = { 'content-type': 'application/json' }
  for (const [body, what] of [
    ['{', 'valid JSON'],
    ['"abc"', 'a JSON object'],
    ['[1]', 'a JSON object'],
    ['null', 'a JSON object'],
  ] as const) {
    const { status, error } = await call(local, 'POST', '/v2/billing/meter_events', { body, headers })
    assert.deepEqual([status, error.message], [400, `Invalid request: the body is not ${what}.`], body)
  }
})

test('a v1 body is a form', async (t) => {
  const { local } = await world(t, NOW)
  // The first is widely reported; so is the second, for what fetch sends with a string.
  const cases: [type: string, message: RegExp][] = [
    [
      'application/json',
      /^Invalid request \(check that your POST content type is application\/x-www-form-urlencoded\)/,
    ],
    ['text/plain;charset=UTF-8', /^Invalid request: unsupported Content-Type text\/plain;charset=UTF-8\./],
  ]
  for (const [type, message] of cases) {
    const options = { body: 'name=Priya', headers: { 'content-type': type } }
    const { status, error } = await call(local, 'POST', '/v1/customers', options)
    assert.equal(status, 400)
    assert.match(error.message, message)
  }
  assert.equal((await call(local, 'POST', '/v1/customers', { headers: { 'content-type': 'text/plain' } })).status, 200)
})

test('keys of a map stay what they are, numbers and names of JavaScript included', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const body = 'metadata[2024]=a&metadata[2025]=b&metadata[2026]=c'
  const { answer } = await call(local, 'POST', '/v1/customers', { body })
  assert.deepEqual(answer.metadata, { 2024: 'a', 2025: 'b', 2026: 'c' })
  const changed = await stripe.customers.update(String(answer.id), { metadata: { 2025: '', constructor: 'd' } })
  assert.deepEqual(changed.metadata, { 2024: 'a', 2026: 'c', constructor: 'd' })
})

test('what is nested beyond reason is refused', async (t) => {
  const { local } = await world(t, NOW)
  const { status, error } = await call(local, 'POST', '/v1/customers', { body: `metadata${'[a]'.repeat(20_000)}=x` })
  assert.deepEqual([status, error.message], [400, "Invalid request: 'metadata' is nested too deeply."])
})

test('parameters in the body of a DELETE count, as curl -d sends them', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { price, customer, use } = await essential(stripe, local)
  const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await local.advance(new Date('2026-03-11T12:00:00Z'))
  await use('12000', new Date(NOW)) // 12 packages at $0.05
  await call(local, 'DELETE', `/v1/subscriptions/${id}`, { body: 'invoice_now=true' })
  const [final] = (await stripe.invoices.list({ subscription: id })).data
  assert.equal(final?.total, 60)
})

test('pages answer to names of this machine only, the API to any', async (t) => {
  const { local } = await world(t, NOW)
  const statusAs = (host: string, path: string, secret = '') =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { host, authorization: `Bearer ${secret}` }
      get(local.url + path, { headers }, (response) => resolve(response.resume().statusCode)).on('error', reject)
    })
  // A site that leads its own name here would be the dashboard's own page to the browser, and read the key on it.
  for (const host of ['evil.example.com', 'localhost.evil.com', '127.0.0.1.evil.com', 'notstripe.com'])
    assert.equal(await statusAs(host, '/'), 403, host)
  const here = [
    '127.0.0.1',
    'localhost',
    'app.localhost',
    '[::1]',
    '192.168.0.7',
    'stripe-local',
    'checkout.stripe.com',
  ]
  for (const host of here) assert.equal(await statusAs(`${host}:${local.port}`, '/'), 200, host)
  assert.equal(await statusAs('evil.example.com', '/v1/customers'), 401)
  assert.equal(await statusAs('billing.example.com', '/v1/customers', local.secretKey), 200)
})

test('nobody is led to a script', async (t) => {
  const { stripe } = await world(t, NOW)
  const invalid = (param: string) => ({ code: 'url_invalid', param, message: 'Not a valid URL' })
  const customer = (await stripe.customers.create({})).id
  const features = { invoice_history: { enabled: true } }
  await stripe.billingPortal.configurations.create({ features })
  for (const url of ['javascript:alert(1)', 'data:text/html,x', 'example.com/back']) {
    await assert.rejects(stripe.billingPortal.sessions.create({ customer, return_url: url }), invalid('return_url'))
    await assert.rejects(
      stripe.checkout.sessions.create({ mode: 'setup', customer, currency: 'usd', success_url: url }),
      invalid('success_url'),
    )
    const business_profile = { terms_of_service_url: url }
    await assert.rejects(
      stripe.billingPortal.configurations.create({ business_profile, features }),
      invalid('business_profile[terms_of_service_url]'),
    )
  }
})

test('an IPv6 address is written as one in links', async (t) => {
  const { local, stripe } = await world(t, NOW, { host: '::1' })
  assert.equal(local.url, `http://[::1]:${local.port}`)
  assert.equal((await fetch(local.url)).status, 200)
  assert.deepEqual((await stripe.customers.list()).data, [])
})

test('a parameter that can only be unset is refused with a value', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { id: customer } = await stripe.customers.create({})
  const { id } = await stripe.invoiceItems.create({ customer, amount: 100, currency: 'usd' })
  const { status, error } = await call(local, 'POST', `/v1/invoiceitems/${id}`, { body: 'invoicing_rules=x' })
  assert.deepEqual([status, error.param], [400, 'invoicing_rules'])
})
