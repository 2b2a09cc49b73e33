import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { refused } from './refusal.ts'

type Features = Stripe.BillingPortal.ConfigurationCreateParams.Features
const TYPES = 'stripe/esm/resources/BillingPortal/Configurations.d.ts'
const invoices: Features = { invoice_history: { enabled: true } }

/** A product with a price for each interval. */
async function product(stripe: Stripe, name: string, intervals: ('month' | 'year')[]) {
  const { id } = await stripe.products.create({ name })
  const prices = await Promise.all(
    intervals.map((interval) =>
      stripe.prices.create({ product: id, currency: 'usd', unit_amount: 1000, recurring: { interval } }),
    ),
  )
  return { product: id, prices: prices.map((price) => price.id) }
}

conformance(
  'what is not configured has its default',
  `${TYPES}: billing_cycle_anchor "the default value is \`unchanged\`", proration_behavior "Defaults to a value of \`none\`", trial_update_behavior "Defaults to a value of \`end_trial\`", duration "Defaults to \`interval_options\` with a single one-month option"`,
  async ({ stripe }) => {
    const { active, features, login_page } = await stripe.billingPortal.configurations.create({ features: invoices })
    assert.equal(active, true)
    assert.deepEqual(login_page, { enabled: false, url: null })
    assert.equal(features.invoice_history.enabled, true)
    assert.equal(features.customer_update.enabled, false)
    assert.equal(features.subscription_cancel.mode, 'at_period_end')
    assert.deepEqual(
      [
        features.subscription_update.enabled,
        features.subscription_update.billing_cycle_anchor,
        features.subscription_update.proration_behavior,
        features.subscription_update.trial_update_behavior,
      ],
      [false, 'unchanged', 'none', 'end_trial'],
    )
    assert.equal(features.subscription_pause.duration.type, 'interval_options')
    assert.deepEqual(features.subscription_pause.duration.interval_options, [{ interval: 'month', interval_count: 1 }])
  },
)

conformance(
  'products are shown only when they are expanded',
  'observed: many integrations expand "data.features.subscription_update.products", as the list leaves products out otherwise',
  async ({ stripe, unique }) => {
    const offered = await product(stripe, unique('Team'), ['month', 'year'])
    const made = await stripe.billingPortal.configurations.create({
      features: {
        payment_method_update: { enabled: true },
        subscription_update: { enabled: true, default_allowed_updates: ['price'], products: [offered] },
      },
    })
    assert.equal(made.features.subscription_update.products, undefined)

    const shown = await stripe.billingPortal.configurations.retrieve(made.id, {
      expand: ['features.subscription_update.products'],
    })
    const [one] = shown.features.subscription_update.products ?? []
    assert.equal(one?.product, offered.product)
    assert.deepEqual(one?.prices.toSorted(), offered.prices.toSorted())
  },
)

conformance(
  'two prices of one product with the same interval cannot be offered together',
  'docs.stripe.com/customer-management: "Customers can\'t define multiple Prices with the same product and recurring.interval values"',
  async ({ stripe, unique }) => {
    const offered = await product(stripe, unique('Team'), ['month', 'month'])
    await refused(
      stripe.billingPortal.configurations.create({
        features: {
          payment_method_update: { enabled: true },
          subscription_update: { enabled: true, default_allowed_updates: ['price'], products: [offered] },
        },
      }),
    )
  },
)

conformance(
  'at most ten products can be offered',
  'docs.stripe.com/customer-management: "you can specify a maximum of 10 products for them to choose from"',
  async ({ stripe, unique }) => {
    const products = await Promise.all(
      Array.from({ length: 11 }, (_, n) => product(stripe, unique(`P${n}`), ['month'])),
    )
    await refused(
      stripe.billingPortal.configurations.create({
        features: {
          payment_method_update: { enabled: true },
          subscription_update: { enabled: true, default_allowed_updates: ['price'], products },
        },
      }),
    )
  },
)

conformance(
  'canceling in the portal never invoices at once, and prorates only when it is immediate',
  `${TYPES}: subscription_cancel.proration_behavior "\`create_prorations\`, which is only compatible with \`mode=immediately\`. Passing \`always_invoice\` will result in an error"`,
  async ({ stripe }) => {
    const create = (cancel: Features['subscription_cancel']) =>
      stripe.billingPortal.configurations.create({ features: { subscription_cancel: cancel } })
    await refused(create({ enabled: true, mode: 'immediately', proration_behavior: 'always_invoice' }))
    await refused(create({ enabled: true, mode: 'at_period_end', proration_behavior: 'create_prorations' }))
    const { features } = await create({ enabled: true, mode: 'immediately', proration_behavior: 'create_prorations' })
    assert.equal(features.subscription_cancel.proration_behavior, 'create_prorations')
  },
)

conformance(
  'subscription updates need payment method updates',
  'observed: "Cannot enable subscription updates while payment method update is disabled." without code and param (gh: nextjs/saas-starter#68, #86)',
  async ({ stripe, unique }) => {
    const offered = await product(stripe, unique('Team'), ['month'])
    const error = await refused(
      stripe.billingPortal.configurations.create({
        features: { subscription_update: { enabled: true, default_allowed_updates: ['price'], products: [offered] } },
      }),
    )
    assert.equal(error.message, 'Cannot enable subscription updates while payment method update is disabled.')
    assert.deepEqual([error.code, error.param], [undefined, undefined])
  },
)

conformance(
  'an update changes what it names and keeps the rest',
  'docs.stripe.com/api/customer_portal/configurations/update: "Updates a configuration that describes the functionality of the customer portal."',
  async ({ stripe }) => {
    const made = await stripe.billingPortal.configurations.create({
      business_profile: { headline: 'Acme partners with Stripe', privacy_policy_url: 'https://example.com/privacy' },
      features: { ...invoices, customer_update: { enabled: true, allowed_updates: ['email', 'tax_id'] } },
      metadata: { kept: 'yes', dropped: 'yes' },
    })
    const after = await stripe.billingPortal.configurations.update(made.id, {
      business_profile: { headline: '' },
      default_return_url: 'https://example.com/account',
      features: { customer_update: { allowed_updates: ['email'] } },
      metadata: { dropped: '' },
    })
    assert.equal(after.business_profile.headline, null)
    assert.equal(after.business_profile.privacy_policy_url, 'https://example.com/privacy')
    assert.equal(after.default_return_url, 'https://example.com/account')
    assert.equal(after.features.customer_update.enabled, true)
    assert.deepEqual(after.features.customer_update.allowed_updates, ['email'])
    assert.equal(after.features.invoice_history.enabled, true)
    assert.deepEqual(after.metadata, { kept: 'yes' })
  },
)

conformance(
  'the login page has an address while it is enabled',
  `${TYPES}: login_page.enabled "If \`true\`, a shareable \`url\` will be generated … If \`false\`, the previously generated \`url\`, if any, will be deactivated."`,
  async ({ stripe }) => {
    const made = await stripe.billingPortal.configurations.create({ features: invoices, login_page: { enabled: true } })
    assert.match(made.login_page.url ?? '', /^https?:\/\/.+\/p\/login\/.+/)
    const closed = await stripe.billingPortal.configurations.update(made.id, { login_page: { enabled: false } })
    assert.deepEqual(closed.login_page, { enabled: false, url: null })
  },
)

conformance(
  'lists are filtered by active',
  `${TYPES}: ConfigurationListParams.active "Only return configurations that are active or inactive"`,
  async ({ stripe }) => {
    const { id } = await stripe.billingPortal.configurations.create({ features: invoices })
    await stripe.billingPortal.configurations.update(id, { active: false })
    const ids = async (active: boolean) =>
      (await stripe.billingPortal.configurations.list({ active, limit: 100 })).data.map((one) => one.id)
    if (!(await ids(false)).includes(id)) assert.fail('It is missing among the inactive ones.')
    assert.ok(!(await ids(true)).includes(id))
  },
)
