import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { visitors } from '../../../test/visitor.ts'
import { essential, receiver, world } from '../../../test/world.ts'

const test = visitors()
const START = '2026-11-01T00:00:00Z'
const PHONE = { width: 390, height: 844 }
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A metered subscriber, a webhook endpoint that fails at first, and usage. */
async function business(t: TestContext) {
  const { local, stripe } = await world(t, START)
  const hook = { status: 500 }
  const endpoint = await receiver(t, () => hook.status)
  await stripe.webhookEndpoints.create({ url: endpoint.url, enabled_events: ['invoice.created', 'customer.updated'] })
  const { meter, price, customer, use } = await essential(stripe, local)
  await stripe.customers.update(customer.id, { name: 'Priya Natarajan' })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await use('12345', new Date(START))
  return { local, stripe, hook, endpoint, meter, customer, subscription, price }
}

test('from a search to the customer, the subscription, its invoice and its payment', async (visit, t) => {
  const { local, hook } = await business(t)
  hook.status = 200 // an invoice waits for its webhook's answer
  const page = await visit()
  await page.goto(`${local.url}/dashboard/customers`)
  await page.getByLabel('Email address, name or id').fill('PRIYA N')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'priya@example.com' }).click()
  await page.getByRole('heading', { name: 'Priya Natarajan' }).waitFor()
  await page
    .getByRole('row', { name: /Essential/ })
    .getByRole('link')
    .first()
    .click()
  await page.getByText('$0.65').waitFor() // 13 packages begun × $0.05

  await page.getByRole('link', { name: 'Clock' }).click()
  await page.getByRole('button', { name: "To the period's end", exact: true }).click()
  await page.getByRole('heading', { name: 'What happened' }).waitFor()
  await page.getByRole('button', { name: '+ 1 hour' }).first().click()
  await page.getByRole('link', { name: 'invoice.finalized' }).waitFor()
  await page.getByRole('link', { name: 'Invoices' }).click()
  await page.getByRole('row', { name: /paid/ }).getByRole('link').first().click()
  await page.getByRole('link', { name: 'PDF' }).waitFor()
  await page.getByRole('link', { name: 'Payments' }).click()
  await page.getByRole('heading', { name: 'Payments' }).waitFor()
  assert.equal(local.now().toISOString(), '2026-12-01T01:00:00.000Z')
})

test('a long move of the clock shows how far it is, and then what happened', async (visit, t) => {
  const { local, stripe } = await world(t, START)
  const slow = await receiver(t, async () => {
    await wait(900)
    return 200
  })
  await stripe.webhookEndpoints.create({ url: slow.url, enabled_events: ['invoice.created'] })
  const { price, customer } = await essential(stripe, local)
  await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  const page = await visit()
  await page.goto(`${local.url}/dashboard/clock`)
  await page.getByLabel('Advance to (UTC)').fill('2027-03-02T00:00')
  await page.getByRole('button', { name: 'Advance', exact: true }).click()
  await page.getByRole('progressbar', { name: 'How far the clock has moved' }).waitFor()
  await page.getByRole('heading', { name: 'What happened' }).waitFor()
  assert.equal(local.now().toISOString(), '2027-03-02T00:00:00.000Z')
})

test('a failed webhook is looked at and sent again', async (visit, t) => {
  const { local, hook, endpoint } = await business(t)
  await local.idle()
  const page = await visit()
  await page.goto(`${local.url}/dashboard/deliveries`)
  await page.locator('summary', { hasText: 'customer.updated' }).first().click()
  await page.getByText('answered 500').first().waitFor()
  const before = endpoint.received.length
  hook.status = 200
  await page.getByRole('button', { name: 'Resend' }).first().click()
  await page.getByRole('status').getByText('Sent once more').waitFor()
  await local.idle()
  assert.equal(endpoint.received.length, before + 1)
})

test('usage is charted, events are listed with what became of them', async (visit, t) => {
  const { local, stripe } = await business(t)
  await stripe.billing.meterEvents.create({
    event_name: 'ai_tokens',
    payload: { stripe_customer_id: 'cus_nobody', value: '7' },
  })
  await local.idle()
  const page = await visit()
  await page.goto(`${local.url}/dashboard/meters`)
  await page.getByRole('link', { name: 'AI tokens' }).click()
  await page.getByRole('img', { name: /^12,345 from/ }).waitFor()
  await page.getByText('As a table').click()
  await page.getByRole('row', { name: 'Nov 1 12,345' }).waitFor()
  await page.getByRole('link', { name: 'All received events' }).click()
  await page.getByRole('link', { name: 'rejected' }).click()
  await page.getByRole('row', { name: /meter_event_customer_not_found/ }).waitFor()
})

test('faults are chosen, strike and are turned off', async (visit, t) => {
  const { local } = await business(t)
  const page = await visit()
  await page.goto(`${local.url}/dashboard/faults`)
  const answer = page.getByRole('group', { name: 'Answer with an error' })
  await answer.getByLabel('Status').selectOption('429')
  await answer.getByLabel('How many requests').fill('1')
  await page.getByRole('group', { name: 'Decline cards' }).getByLabel('Until turned off').check()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('status').getByText('Saved.').waitFor()
  const headers = { authorization: `Bearer ${local.secretKey}` }
  assert.equal((await fetch(`${local.url}/v1/customers`, { headers })).status, 429)

  await page.getByRole('link', { name: 'Requests' }).click()
  await page.getByRole('row', { name: /429/ }).getByRole('link').click()
  await page.getByText('rate_limit').first().waitFor()
  await page.getByRole('link', { name: 'Faults' }).click()
  await page.getByRole('button', { name: 'Turn all off' }).click()
  await page.getByRole('status').getByText('Saved.').waitFor()
  assert.deepEqual(local.faults.read(), {})
})

test('no page of the dashboard has a fault that axe knows, light or dark, or is wider than a phone', async (visit, t) => {
  const { local, stripe, meter, customer, subscription, price } = await business(t)
  await local.advance(new Date('2026-12-01T02:00:00Z'))
  await stripe.testHelpers.testClocks.create({ frozen_time: Date.parse(START) / 1000, name: 'Yearly' })
  const [invoice] = (await stripe.invoices.list({ limit: 1 })).data
  const [event] = (await stripe.events.list({ limit: 1 })).data
  const sections = 'customers subscriptions products meters meter-events invoices payments events deliveries'.split(' ')
  const paths = ['/', ...[...sections, 'requests', 'clock', 'faults', 'readings'].map((name) => `/dashboard/${name}`)]
  paths.push(`/dashboard/customers/${customer.id}`, `/dashboard/subscriptions/${subscription.id}`)
  paths.push(`/dashboard/products/${price.product}`, `/dashboard/meters/${meter.id}`)
  paths.push(`/dashboard/invoices/${invoice!.id}`, `/dashboard/events/${event!.id}`)
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await visit({ colorScheme, viewport: PHONE })
    for (const path of paths) {
      const answer = await page.goto(local.url + path)
      assert.equal(answer?.status(), 200, path)
      await page.evaluate(AXE)
      const faults = await page.evaluate(
        'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + nodes[0].html))',
      )
      assert.deepEqual(faults, [], `${path}, ${colorScheme}`)
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width, path)
    }
  }
})
