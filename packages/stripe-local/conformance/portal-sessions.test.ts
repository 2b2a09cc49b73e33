import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, type Subject, seconds } from './conformance.ts'
import { refused } from './refusal.ts'

type Features = Stripe.BillingPortal.ConfigurationCreateParams.Features
const TYPES = 'stripe/esm/resources/BillingPortal/Sessions.d.ts'
const LINKS = 'docs.stripe.com/customer-management/portal-deep-links'

/** A subscriber to a plan of $10, another plan of $20 and what makes sessions of a configuration with both. */
async function subscriber({ stripe, unique, clock }: Subject, features: Features = {}) {
  const { customer: newCustomer } = await clock('2027-01-01T00:00:00Z')
  const customer = await newCustomer()
  const plan = (name: string, unit_amount: number) =>
    stripe.prices.create({
      currency: 'usd',
      unit_amount,
      recurring: { interval: 'month' },
      product_data: { name: unique(name) },
    })
  const [small, large] = [await plan('Small', 1000), await plan('Large', 2000)]
  const products = [small, large].map(({ id, product }) => ({ product: product as string, prices: [id] }))
  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_cancel: { enabled: true },
      subscription_update: { enabled: true, default_allowed_updates: ['price'], products },
      ...features,
    },
  })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: small.id }] })
  const session = (more: Partial<Stripe.BillingPortal.SessionCreateParams> = {}) =>
    stripe.billingPortal.sessions.create({
      customer: customer.id,
      configuration: configuration.id,
      return_url: 'https://example.com/account',
      ...more,
    })
  const confirm = (price: string) =>
    session({
      flow_data: {
        type: 'subscription_update_confirm',
        subscription_update_confirm: {
          subscription: subscription.id,
          items: [{ id: subscription.items.data[0]!.id, price }],
        },
      },
    })
  return { customer, small, large, configuration, subscription, session, confirm }
}

conformance(
  'a session leads to a portal of one customer, by one configuration',
  `${TYPES}: url "The short-lived URL of the session that gives customers access to the customer portal."`,
  async (subject) => {
    const { customer, configuration, session } = await subscriber(subject)
    const made = await session()
    assert.match(made.id, /^bps_/)
    assert.match(made.url, /^https?:\/\/.+\/p\/session\/.+/)
    assert.deepEqual(
      [made.customer, made.configuration, made.return_url, made.flow, made.locale, made.on_behalf_of],
      [customer.id, configuration.id, 'https://example.com/account', null, null, null],
    )
  },
)

conformance(
  "the configuration's address is returned to where the session names none",
  'stripe/esm/resources/BillingPortal/Configurations.d.ts: default_return_url "can be overriden when creating the session"',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const configuration = await stripe.billingPortal.configurations.create({
      default_return_url: 'https://example.com/default',
      features: { invoice_history: { enabled: true } },
    })
    const made = await stripe.billingPortal.sessions.create({ customer: customer.id, configuration: configuration.id })
    assert.equal(made.return_url, 'https://example.com/default')
  },
)

conformance(
  'an unknown customer is refused by its parameter',
  'docs.stripe.com/error-codes: resource_missing "The ID provided is not valid."',
  async ({ stripe }) => {
    const error = await refused(stripe.billingPortal.sessions.create({ customer: 'cus_nobody' }))
    assert.deepEqual([error.code, error.param], ['resource_missing', 'customer'])
  },
)

conformance(
  'without a default configuration one must be named',
  'observed: "No configuration provided and your test mode default configuration has not been created. …"',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const error = await refused(stripe.billingPortal.sessions.create({ customer: customer.id }))
    assert.match(
      error.message,
      /^No configuration provided and your test mode default configuration has not been created/,
    )
  },
  { localOnly: 'an account that has saved its portal settings once always has a default' },
)

conformance(
  'a flow is shown with what follows its completion',
  `${LINKS}: "Customize the redirect behavior after the customer completes the action"`,
  async (subject) => {
    const { subscription, session } = await subscriber(subject)
    const { flow } = await session({
      flow_data: {
        type: 'subscription_cancel',
        subscription_cancel: { subscription: subscription.id },
        after_completion: { type: 'redirect', redirect: { return_url: 'https://example.com/done' } },
      },
    })
    assert.equal(flow?.type, 'subscription_cancel')
    assert.deepEqual(flow.subscription_cancel, { retention: null, subscription: subscription.id })
    assert.deepEqual(flow.after_completion, {
      hosted_confirmation: null,
      redirect: { return_url: 'https://example.com/done' },
      type: 'redirect',
    })
    assert.deepEqual([flow.subscription_update, flow.subscription_update_confirm], [null, null])
  },
)

conformance(
  'a flow without a wish leads back to the portal',
  `${LINKS}: "redirect them immediately to your own URL, to a hosted confirmation page, or back to the portal homepage"`,
  async (subject) => {
    const { session } = await subscriber(subject)
    const { flow } = await session({ flow_data: { type: 'payment_method_update' } })
    assert.equal(flow?.after_completion.type, 'portal_homepage')
  },
)

conformance(
  'a confirmation names one item and a price of the configuration',
  `${TYPES}: subscription_update_confirm.items.price "The price must also be included in the configuration's features.subscription_update.products"; message observed`,
  async (subject) => {
    const { large, configuration, subscription, confirm } = await subscriber(subject)
    const { flow } = await confirm(large.id)
    assert.equal(flow?.subscription_update_confirm?.items[0]?.price, large.id)

    const other = await subject.stripe.prices.create({
      currency: 'usd',
      unit_amount: 3000,
      recurring: { interval: 'month' },
      product_data: { name: subject.unique('Other') },
    })
    const item = subscription.items.data[0]!.id
    const error = await refused(confirm(other.id))
    assert.equal(
      error.message,
      `The item \`${item}\` cannot be updated to price \`${other.id}\` because the configuration \`${configuration.id}\` does not include the price in its \`features[subscription_update][products]\`.`,
    )
  },
)

conformance('there must be something to confirm', 'observed: "… there are no changes to confirm"', async (subject) => {
  const { small, confirm } = await subscriber(subject)
  assert.match((await refused(confirm(small.id))).message, /there are no changes to confirm/)
})

conformance(
  'no flow leads to what the configuration has disabled',
  'observed: "This subscription cannot be updated because the subscription update feature in the portal configuration is disabled."',
  async (subject) => {
    const { subscription, session } = await subscriber(subject, { subscription_update: { enabled: false } })
    const error = await refused(
      session({ flow_data: { type: 'subscription_update', subscription_update: { subscription: subscription.id } } }),
    )
    assert.equal(
      error.message,
      'This subscription cannot be updated because the subscription update feature in the portal configuration is disabled.',
    )
  },
)

conformance(
  'what is already canceled at the period end is not canceled once more',
  'observed: "The subscription sub_… is already set to be canceled at period end."',
  async (subject) => {
    const { subscription, session } = await subscriber(subject)
    await subject.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
    const error = await refused(
      session({ flow_data: { type: 'subscription_cancel', subscription_cancel: { subscription: subscription.id } } }),
    )
    assert.match(error.message, /is already set to be canceled at period end/)
  },
)

conformance(
  'usage-based subscriptions can only be canceled in the portal',
  'docs.stripe.com/customer-management: "customers can only cancel them in the portal (they can\'t update such subscriptions): … Usage-based billing"',
  async (subject) => {
    const { stripe, unique } = subject
    const { customer, session } = await subscriber(subject)
    const event_name = unique('tokens')
    const meter = await stripe.billing.meters.create({
      display_name: 'Tokens',
      event_name,
      default_aggregation: { formula: 'sum' },
    })
    const metered = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
      product_data: { name: unique('Metered') },
    })
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: metered.id }] })
    await refused(session({ flow_data: { type: 'subscription_update', subscription_update: { subscription: id } } }))
    const cancel = await session({
      flow_data: { type: 'subscription_cancel', subscription_cancel: { subscription: id } },
    })
    assert.equal(cancel.flow?.subscription_cancel?.subscription, id)
  },
)

conformance(
  "nobody is led to another customer's subscription",
  `${TYPES}: customer "The ID of an existing customer."; a session is of one customer`,
  async (subject) => {
    const { subscription } = await subscriber(subject)
    const stranger = await subscriber(subject)
    await refused(
      stranger.session({
        flow_data: { type: 'subscription_cancel', subscription_cancel: { subscription: subscription.id } },
      }),
    )
  },
)

conformance(
  'after_expiration lets the customer log in again',
  `${TYPES}: after_expiration.customer_login.expires_at "The time after which the customer can no longer recover this session."`,
  async (subject) => {
    const { session } = await subscriber(subject)
    const expires_at = seconds('2099-01-01T00:00:00Z')
    const made = await session({ after_expiration: { type: 'customer_login', customer_login: { expires_at } } })
    assert.deepEqual(made.after_expiration, { customer_login: { expires_at }, type: 'customer_login' })
  },
)
