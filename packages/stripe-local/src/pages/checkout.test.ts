import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiObject } from './context.ts'
import { essentialPrice, type FakeContext, fakeContext, openSession } from './fake-context.ts'
import { createPages } from './index.ts'

const SESSION = 'GET /v1/checkout/sessions/cs_test_1'

/** A session of one metered price, with what is to be different about it. */
function session(different: ApiObject = {}, price: ApiObject = essentialPrice): { [call: string]: ApiObject } {
  return {
    [SESSION]: { ...openSession, ...different },
    [`${SESSION}/line_items`]: { object: 'list', data: [{ id: 'li_1', object: 'item', amount_total: 0, price }] },
  }
}

const good = { email: 'ada@example.com', number: '4242 4242 4242 4242', expiry: '12 / 30', cvc: '123', name: 'Ada' }

function post(context: FakeContext, form: { [field: string]: string }, headers: { [name: string]: string } = {}) {
  const body = new URLSearchParams(form)
  return createPages(context).request('/c/pay/cs_test_1', { method: 'POST', body, headers })
}

test('the page says what is bought, what it costs by usage, and that nothing is due today', async () => {
  const answer = await createPages(fakeContext(session())).request('/c/pay/cs_test_1')
  const page = await answer.text()

  assert.equal(answer.status, 200)
  assert.match(page, /Subscribe to Essential/)
  assert.match(page, /\$0\.05 per 1,000 units, metered: billed by usage at the end of each month/)
  assert.match(page, /Due today<\/span>\s*<span>\$0\.00/)
  assert.match(page, /Local test mode/)
  for (const label of ['Email', 'Card number', 'Expiration (MM / YY)', 'CVC', 'Cardholder name'])
    assert.ok(page.includes(`>${label}</label>`), label)
  assert.match(page, /<button class="primary wide">Subscribe<\/button>/)
})

test('a good card completes the session and leads to where the core says', async () => {
  const context = fakeContext(session())
  const answer = await post(context, good)

  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), 'https://shop.example/done?session=cs_test_1')
  const card = { number: '4242424242424242', expMonth: 12, expYear: 2030, cvc: '123' }
  assert.deepEqual(context.payers, [{ email: 'ada@example.com', name: 'Ada', card, authenticated: false }])
})

test('what is wrong is said beside its field, and what was typed survives', async () => {
  const cases: [field: string, typed: string, said: string][] = [
    ['email', '', 'Enter an email address.'],
    ['email', 'ada@', 'Your email is incomplete.'],
    ['number', '4242 4242 4242 4241', 'Your card number is invalid.'], // the last digit breaks the check sum
    ['number', '4242 42', 'Your card number is incomplete.'],
    ['expiry', '10 / 26', 'Your card&#39;s expiration date is in the past.'], // it is November 2026
    ['expiry', '13 / 30', 'Your card&#39;s expiration date is invalid.'],
    ['cvc', '12', 'Your card&#39;s security code is incomplete.'],
    ['name', '', 'Enter the name on the card.'],
  ]
  for (const [field, typed, said] of cases) {
    const context = fakeContext(session())
    const answer = await post(context, { ...good, [field]: typed })
    const page = await answer.text()

    assert.equal(answer.status, 422, field)
    assert.ok(page.includes(`id="${field}-error">${said}`), `${field} ${typed}`)
    assert.ok(page.includes(`value="${typed}"`) && page.includes('role="alert"'), `${field} ${typed}`)
    assert.equal(context.payers.length, 0)
  }
  const thisMonth = await post(fakeContext(session()), { ...good, expiry: '11 / 26' })
  assert.equal(thisMonth.status, 303) // a card is good until its month ends
})

test('a decline is shown beside the field it concerns, or above the form', async () => {
  const context = fakeContext(session())
  context.outcome = { status: 'declined', field: 'card', message: 'Your card was declined.' }
  assert.match(await (await post(context, good)).text(), /role="alert"[^>]*>\s*<p><strong>Your card was declined\./)

  context.outcome = { status: 'declined', field: 'cvc', message: 'Your security code is incorrect.' }
  assert.match(await (await post(context, good)).text(), /id="cvc-error">Your security code is incorrect\./)
})

test('the bank may ask: completing pays as authenticated, failing leads back to the form', async () => {
  const context = fakeContext(session())
  context.outcome = { status: 'requires_authentication' }
  const step = await (await post(context, good)).text()
  assert.match(step, /Complete authentication<\/button>/)
  assert.match(step, /name="number" value="4242 4242 4242 4242"/)

  const failed = await post(context, { ...good, authentication: 'fail' })
  assert.equal(failed.status, 422)
  assert.match(await failed.text(), /unable to authenticate your payment method/)

  context.outcome = { status: 'complete', redirectUrl: 'https://shop.example/done' }
  assert.equal((await post(context, { ...good, authentication: 'complete' })).status, 303)
  assert.deepEqual(
    context.payers.map((payer) => payer.authenticated),
    [false, true],
  )
})

test('a test card fills the form without JavaScript, keeping what was typed', async () => {
  const context = fakeContext(session())
  const answer = await post(context, { email: 'ada@example.com', fill: '4000 0025 0000 3155' })
  const page = await answer.text()

  assert.equal(answer.status, 200)
  assert.match(page, /id="number"[^>]*value="4000 0025 0000 3155"/)
  assert.match(page, /id="email"[^>]*value="ada@example.com"/)
  assert.equal(context.payers.length, 0)
})

test('a session that is over says so, and a second press leads where the first did', async () => {
  const complete = fakeContext(session({ status: 'complete' }))
  assert.match(await (await createPages(complete).request('/c/pay/cs_test_1')).text(), /You&#39;re all done/)
  const again = await post(complete, good)
  assert.equal(again.headers.get('location'), 'https://shop.example/done?session=cs_test_1')
  assert.equal(complete.payers.length, 0)

  const expired = await post(fakeContext(session({ status: 'expired' })), good)
  assert.equal(expired.status, 410)
  assert.match(await expired.text(), /Session expired/)

  assert.equal((await createPages(fakeContext()).request('/c/pay/cs_none')).status, 404)
})

test('a known customer keeps the own email address', async () => {
  const context = fakeContext({
    ...session({ customer: 'cus_1' }),
    'GET /v1/payment_methods': { object: 'list', data: [] },
    'GET /v1/customers/cus_1': { id: 'cus_1', email: 'grace@example.com' },
  })
  const page = await (await createPages(context).request('/c/pay/cs_test_1')).text()
  assert.match(page, /id="email"[^>]*value="grace@example.com"[^>]*readonly/)

  await post(context, { ...good, email: 'mallory@example.com' })
  assert.equal(context.payers[0]?.email, 'grace@example.com')
})

test('tiers are laid open, and names cannot smuggle markup', async () => {
  const tiered = {
    ...essentialPrice,
    id: 'price_tiered',
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    unit_amount: null,
    unit_amount_decimal: null,
    transform_quantity: null,
    product: { id: 'prod_2', name: '<script>alert(1)</script>', unit_label: 'token' },
  }
  const tiers = [
    { up_to: 1000, unit_amount: 1, unit_amount_decimal: '1', flat_amount: 500, flat_amount_decimal: '500' },
    { up_to: null, unit_amount: null, unit_amount_decimal: '0.05', flat_amount: null, flat_amount_decimal: null },
  ]
  const context = fakeContext({
    ...session({}, tiered),
    'GET /v1/prices/price_tiered': { ...tiered, tiers },
  })
  const page = await (await createPages(context).request('/c/pay/cs_test_1')).text()
  assert.match(page, /1 to 1,000: \$0\.01 per token \+ \$5\.00 flat/)
  assert.match(page, /1,001 and more: \$0\.0005 per token/)
  assert.ok(page.includes('&lt;script&gt;alert(1)') && !page.includes('<script>alert'))
})

test('a form from another site is refused', async () => {
  const context = fakeContext(session())
  assert.equal((await post(context, good, { 'Sec-Fetch-Site': 'cross-site' })).status, 403)
  assert.equal((await post(context, good, { Origin: 'https://evil.example', Host: 'localhost' })).status, 403)
  assert.equal(context.payers.length, 0)
  assert.equal((await post(context, good, { Origin: 'http://localhost', Host: 'localhost' })).status, 303)
})
