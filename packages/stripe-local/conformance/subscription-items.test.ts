import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'
import { linesOf, plans } from './plans.ts'

const TYPES = 'stripe SubscriptionItems.d.ts'

conformance(
  'items are added, changed, listed and removed one by one',
  `${TYPES} create, retrieve, update, list, del: "Adds a new item to an existing subscription. No existing items will be changed or replaced."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const { id, items } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: usage.id }] })
    await clock.advance('2027-04-16T00:00:00Z')

    const added = await stripe.subscriptionItems.create({
      subscription: id,
      price: fee.id,
      quantity: 2,
      metadata: { seat: 'yes' },
    })
    assert.deepEqual([added.subscription, added.quantity, added.metadata.seat], [id, 2, 'yes'])
    assert.deepEqual(await waiting(), ['1000 Remaining time on 2 × Pro after 16 Apr 2027']) // half of 2 × 10.00

    const more = await stripe.subscriptionItems.update(added.id, { quantity: 3, metadata: { seat: '' } })
    assert.deepEqual([more.quantity, more.metadata], [3, {}])
    const listed = (await stripe.subscriptionItems.list({ subscription: id })).data.map((item) => item.id)
    assert.deepEqual(listed.toSorted(), [items.data[0]!.id, added.id].toSorted())

    const gone = await stripe.subscriptionItems.del(added.id, { proration_behavior: 'none' })
    assert.deepEqual({ ...gone }, { id: added.id, object: 'subscription_item', deleted: true })
    await assert.rejects(stripe.subscriptionItems.retrieve(added.id), { statusCode: 404, code: 'resource_missing' })
  },
)

conformance(
  'a price can be on a subscription once',
  'observed: "Cannot add multiple subscription items with the same plan: price_…"',
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await assert.rejects(stripe.subscriptionItems.create({ subscription: id, price: price.id }), {
      message: `Cannot add multiple subscription items with the same plan: ${price.id}`,
    })
  },
)

conformance(
  'the last item cannot be removed',
  'docs.stripe.com/billing/subscriptions/multiple-products: a subscription has at least one item; to end it, cancel it',
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { items } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await assert.rejects(stripe.subscriptionItems.del(items.data[0]!.id), { statusCode: 400 })
  },
)

conformance(
  'a metered item that is removed is billed for its usage (flexible), or not at all (classic)',
  'docs.stripe.com/billing/subscriptions/billing-mode/compare, "Bill for unbilled usage when removing usage-based items": "No invoice item or invoice is generated for unbilled usage" · "An invoice item is generated for unbilled usage"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, use, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const begin = async (type: 'classic' | 'flexible') => {
      const made = await stripe.subscriptions.create({
        customer: customer.id,
        items: [{ price: fee.id }, { price: usage.id }],
        billing_mode: { type },
      })
      return made.items.data.find((item) => item.price.id === usage.id)!.id
    }
    const [classic, flexible] = [await begin('classic'), await begin('flexible')]
    await clock.advance('2027-04-16T00:00:00Z')
    await use('12345', '2027-04-15T00:00:00Z')
    await stripe.subscriptionItems.del(classic)
    assert.deepEqual(await waiting(), [])
    // What is cleared are usage records of old; a meter's usage stays.
    await stripe.subscriptionItems.del(flexible, { clear_usage: true })
    assert.deepEqual(await waiting(), ['65 12345 × Essential (at $0.05 per 1000 units / month)'])
  },
)

conformance(
  'removed without prorations, the usage is never billed',
  'docs.stripe.com/billing/subscriptions/billing-mode/compare: "Depending on the value of proration_behavior, flexible billing mode might generate an invoice item for unbilled usage when removing a usage-based subscription item."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, use, waiting, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const made = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: fee.id }, { price: usage.id }],
    })
    await clock.advance('2027-04-16T00:00:00Z')
    await use('12345', '2027-04-15T00:00:00Z')
    const gone = made.items.data.find((item) => item.price.id === usage.id)!
    await stripe.subscriptionItems.del(gone.id, { proration_behavior: 'none' })
    assert.deepEqual(await waiting(), [])
    await clock.advance('2027-05-01T02:00:00Z')
    assert.equal((await invoicesOf(made.id))[0]!.total, 1000)
  },
)

conformance(
  'an item added in mid period sees usage from then on',
  'docs.stripe.com/billing/subscriptions/usage-based/manage-billing, "Update prices mid-cycle"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: fee.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    await use('9000', '2027-04-15T00:00:00Z')
    await stripe.subscriptionItems.create({ subscription: id, price: usage.id })
    await use('1500', '2027-04-16T00:00:00Z')
    await clock.advance('2027-05-01T02:00:00Z')
    assert.deepEqual(linesOf((await invoicesOf(id))[0]!), [
      '10 1500 × Essential (at $0.05 per 1000 units / month)',
      '1000 1 × Pro (at $10.00 / month)',
    ])
  },
)

conformance(
  'a switch sets the quantity to one unless it is given',
  `${TYPES} SubscriptionItemUpdateParams.price: "When changing a subscription item's price, \`quantity\` is set to 1 unless a \`quantity\` parameter is provided."`,
  async (subject) => {
    const { stripe } = subject
    const { customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const [ten, twenty, thirty] = [await flat(), await flat(2000), await flat(3000)]
    const { items } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: ten.id, quantity: 5 }],
    })
    const { id } = items.data[0]!
    assert.equal((await stripe.subscriptionItems.update(id, { price: twenty.id })).quantity, 1)
    assert.equal((await stripe.subscriptionItems.update(id, { price: thirty.id, quantity: 4 })).quantity, 4)
  },
)

conformance(
  'a change of an item can wait for its payment, too',
  'docs.stripe.com/billing/subscriptions/pending-updates-reference: "The supported attributes for the create subscription item and update subscription item endpoints are: … price, quantity"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const begun = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    await stripe.subscriptions.update(begun.id, { default_payment_method: failing.id })
    const item = await stripe.subscriptionItems.update(begun.items.data[0]!.id, {
      quantity: 3,
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
    })
    assert.equal(item.quantity, 1)
    const { pending_update } = await stripe.subscriptions.retrieve(begun.id)
    assert.equal(pending_update!.subscription_items![0]!.quantity, 3)
  },
)
