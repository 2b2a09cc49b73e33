import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import type { Stripe } from 'stripe'
import { visitors } from '../../test/visitor.ts'
import { essential, world } from '../../test/world.ts'

const test = visitors()
const AT = '2026-11-24T12:00:00Z'
const PHONE = { width: 390, height: 844 }
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A customer with a metered and a flat plan, and a portal that offers everything. */
async function account(t: TestContext) {
  const { local, stripe } = await world(t, AT)
  const { price, customer } = await essential(stripe, local)
  const plan = (name: string, unit_amount: number) =>
    stripe.prices.create({ currency: 'usd', unit_amount, recurring: { interval: 'month' }, product_data: { name } })
  const [team, company] = [await plan('Team', 4900), await plan('Company', 19900)]
  const metered = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  const flat = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: team.id }] })
  const { id: configuration } = await stripe.billingPortal.configurations.create({
    features: {
      customer_update: { enabled: true, allowed_updates: ['name', 'email', 'address', 'phone', 'shipping', 'tax_id'] },
      invoice_history: { enabled: true },
      payment_method_update: { enabled: true },
      subscription_cancel: {
        enabled: true,
        cancellation_reason: { enabled: true, options: ['too_expensive', 'unused', 'other'] },
      },
      subscription_pause: { enabled: true },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price', 'quantity'],
        proration_behavior: 'always_invoice',
        products: [team, company].map(({ id, product }) => ({ product: product as string, prices: [id] })),
      },
    },
  })
  const portal = async (flow?: Stripe.BillingPortal.SessionCreateParams.FlowData) =>
    (
      await stripe.billingPortal.sessions.create({
        customer: customer.id,
        configuration,
        return_url: `${local.url}/?returned`,
        ...(flow && { flow_data: flow }),
      })
    ).url
  return { local, stripe, customer, metered, flat, company, portal }
}

/** The subscription's card on the portal's first page. */
function planCard(page: Page, plan: string) {
  return page.getByRole('article').filter({ has: page.getByRole('heading', { name: plan }) })
}

test('a plan is canceled with a reason, and kept after all', async (visit, t) => {
  const { stripe, metered, portal } = await account(t)
  const page = await visit()
  await page.goto(await portal())
  await planCard(page, 'Essential').getByRole('link', { name: 'Cancel subscription' }).click()
  await page.getByText('You keep Essential until Dec 24, 2026').waitFor()
  await page.getByLabel("It's too expensive").check()
  await page.getByLabel('Anything else?').fill('See you next year.')
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await page.getByRole('status').getByText('ends with the current period').waitFor()
  const ending = await stripe.subscriptions.retrieve(metered.id)
  assert.equal(ending.cancel_at_period_end, true)
  assert.deepEqual(
    [ending.cancellation_details?.feedback, ending.cancellation_details?.comment],
    ['too_expensive', 'See you next year.'],
  )

  await page.getByRole('button', { name: "Don't cancel subscription" }).click()
  await page.getByText('Your subscription renews again.').waitFor()
  assert.equal((await stripe.subscriptions.retrieve(metered.id)).cancel_at_period_end, false)
})

test('a plan is switched after seeing what it costs, by keyboard alone', async (visit, t) => {
  const { stripe, flat, company, portal } = await account(t)
  const page = await visit()
  await page.goto(await portal())
  await planCard(page, 'Team').getByRole('link', { name: 'Switch plan' }).press('Enter')
  await page.getByRole('radio', { name: /Team/ }).press('ArrowDown')
  await page.getByLabel('Quantity').fill('2')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Switch to Company?' }).waitFor()
  // A whole period is left: 2 × $199 for it, less the $49 that was paid.
  assert.match((await page.getByRole('row', { name: /Due today/ }).textContent()) ?? '', /\$349\.00/)
  await page.getByRole('button', { name: 'Switch to Company' }).press('Enter')
  await page.getByText('Your plan is switched.').waitFor()
  const after = await stripe.subscriptions.retrieve(flat.id)
  assert.deepEqual([after.items.data[0]?.price.id, after.items.data[0]?.quantity], [company.id, 2])
})

test('cards are added through the bank’s question, made default and removed', async (visit, t) => {
  const { stripe, customer, portal } = await account(t)
  const page = await visit()
  await page.goto(await portal())
  await page.getByRole('link', { name: 'Add card' }).click()
  await page.getByRole('button', { name: 'Save card' }).click()
  await page.getByRole('alert').getByText('3 fields need your attention').waitFor()
  await page.getByLabel('Card number').fill('4000002500003155')
  await page.getByLabel('Expiration').fill('1234')
  await page.getByLabel('CVC').fill('123')
  await page.getByRole('button', { name: 'Save card' }).click()
  await page.getByRole('button', { name: 'Fail authentication' }).click()
  await page.getByRole('alert').getByText('unable to authenticate').waitFor()

  await page.getByRole('button', { name: 'Asks for authentication' }).click()
  await page.getByRole('button', { name: 'Save card' }).click()
  await page.getByRole('button', { name: 'Complete authentication' }).click()
  await page.getByText('Your payment method is updated.').waitFor()
  await page.getByRole('listitem').filter({ hasText: '3155' }).getByText('default').waitFor()

  await page.getByRole('button', { name: 'Make default: Visa •••• 4242' }).click()
  await page.getByRole('button', { name: 'Remove Visa •••• 3155' }).click()
  await page.getByText('The card is removed.').waitFor()
  await page.getByRole('button', { name: 'Remove Visa •••• 4242' }).click()
  await page.getByRole('alert').getByText('Add another one first').waitFor()
  assert.equal((await stripe.customers.listPaymentMethods(customer.id)).data.length, 1)
})

test('details are changed, and what is wrong is said beside its field', async (visit, t) => {
  const { stripe, customer, portal } = await account(t)
  const page = await visit({ viewport: PHONE })
  await page.goto(await portal())
  await page.getByRole('link', { name: 'Update information' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Łukasz Żółć')
  await page.getByLabel('Email').fill('nobody')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('#email-error').waitFor()
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Łukasz Żółć')
  await page.getByLabel('Email').fill('lukasz@example.com')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Your billing information is saved.').waitFor()
  const after = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
  assert.deepEqual([after.name, after.email], ['Łukasz Żółć', 'lukasz@example.com'])
})

test('a plan is paused and resumed', async (visit, t) => {
  const { portal } = await account(t)
  const page = await visit()
  await page.goto(await portal())
  await planCard(page, 'Essential').getByRole('link', { name: 'Pause subscription' }).click()
  await page.getByRole('button', { name: 'Pause subscription' }).click()
  await planCard(page, 'Essential').getByText('Paused until Dec 24, 2026.').waitFor()
  await page.getByRole('button', { name: 'Resume subscription' }).click()
  await planCard(page, 'Essential').getByText('Renews on Dec 24, 2026.').waitFor()
})

test('a deep link does one thing, without JavaScript as well, and ends where it says', async (visit, t) => {
  const { local, flat, company, portal } = await account(t)
  const page = await visit({ javaScript: false })
  const confirm = await portal({
    type: 'subscription_update_confirm',
    subscription_update_confirm: {
      subscription: flat.id,
      items: [{ id: flat.items.data[0]!.id, price: company.id }],
    },
    after_completion: { type: 'redirect', redirect: { return_url: `${local.url}/?switched` } },
  })
  await page.goto(confirm)
  await page.getByRole('button', { name: 'Switch to Company' }).click()
  await page.waitForURL('**/?switched')

  await page.goto(
    await portal({
      type: 'payment_method_update',
      after_completion: { type: 'hosted_confirmation', hosted_confirmation: { custom_message: 'Thank you, Priya.' } },
    }),
  )
  await page.getByRole('button', { name: 'Succeeds' }).click()
  await page.getByRole('button', { name: 'Save card' }).click()
  await page.getByText('Thank you, Priya.').waitFor()
})

test('no portal page has a fault that axe knows, light or dark, or is wider than a phone', async (visit, t) => {
  const { metered, flat, portal } = await account(t)
  const base = await portal()
  const paths = ['', '/payment-method', '/information', `/subscriptions/${metered.id}/cancel`]
  paths.push(`/subscriptions/${metered.id}/pause`, `/subscriptions/${flat.id}/switch`)
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await visit({ colorScheme, viewport: PHONE })
    for (const path of paths) {
      await page.goto(base + path)
      await page.evaluate(AXE)
      const faults = await page.evaluate(
        'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + nodes[0].html))',
      )
      assert.deepEqual(faults, [], `${path}, ${colorScheme}`)
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width, path)
    }
  }
})
