import assert from 'node:assert/strict'
import { conformance, seconds } from './conformance.ts'
import { refused } from './refusal.ts'
import { draftOf, payer } from './tokens.ts'

conformance(
  'an item has an amount, or units at a unit price, and waits for an invoice',
  'InvoiceItemCreateParams.amount: "The integer amount in cents (or local equivalent) of the charge to be applied to the upcoming invoice"; unit_amount_decimal: "accepts a decimal value in cents (or local equivalent) with at most 12 decimal places"',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const flat = await stripe.invoiceItems.create({ customer: customer.id, amount: 1999, currency: 'usd' })
    assert.deepEqual([flat.amount, flat.invoice, flat.quantity, flat.proration], [1999, null, 1, false])
    assert.equal(String(flat.pricing!.unit_amount_decimal), '1999')
    assert.equal(flat.period.start, flat.period.end)

    const units = await stripe.invoiceItems.create({
      customer: customer.id,
      currency: 'usd',
      quantity_decimal: '2.5' as never,
      unit_amount_decimal: '0.333' as never,
      description: 'Tokens',
    })
    // 2.5 × 0.333 = 0.8325 cents: 1 cent. The quantity is cut off, the decimal beside it is exact.
    assert.deepEqual([units.amount, units.quantity, String(units.quantity_decimal)], [1, 2, '2.5'])
    const waiting = await stripe.invoiceItems.list({ customer: customer.id, pending: true })
    assert.deepEqual(
      waiting.data.map(({ id }) => id),
      [units.id, flat.id],
    )
  },
)

conformance(
  'a price names the amount; it must be one-time and active',
  'InvoiceItemCreateParams.Pricing.price: "The ID of the price object."; observed: "this field only accepts prices with `type=one_time`"',
  async ({ stripe, unique }) => {
    const customer = await payer(stripe)
    const once = await stripe.prices.create({ currency: 'usd', unit_amount: 450, product_data: { name: 'Set-up' } })
    const item = await stripe.invoiceItems.create({
      customer: customer.id,
      pricing: { price: once.id },
      quantity: 3,
    })
    assert.deepEqual([item.amount, item.quantity, item.currency], [1350, 3, 'usd'])
    assert.equal(item.pricing!.price_details!.price, once.id)

    const monthly = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 450,
      recurring: { interval: 'month' },
      product_data: { name: unique('Plan') },
    })
    const recurring = await refused(
      stripe.invoiceItems.create({ customer: customer.id, pricing: { price: monthly.id } }),
    )
    assert.match(recurring.message, /only accepts prices with `type=one_time`/)
    await stripe.prices.update(once.id, { active: false })
    const inactive = await refused(stripe.invoiceItems.create({ customer: customer.id, pricing: { price: once.id } }))
    assert.match(inactive.message, /inactive/)
  },
)

conformance(
  'price_data makes a price for one item',
  'InvoiceItemCreateParams.price_data: "Data used to generate a new Price object inline."',
  async ({ stripe, unique }) => {
    const customer = await payer(stripe)
    const product = await stripe.products.create({ name: unique('Consulting') })
    const item = await stripe.invoiceItems.create({
      customer: customer.id,
      price_data: { currency: 'usd', product: product.id, unit_amount: 12_000 },
      quantity: 2,
    })
    assert.equal(item.amount, 24_000)
    assert.equal(item.pricing!.price_details!.product, product.id)
    assert.equal((await stripe.prices.list({ product: product.id })).data.length, 0)
  },
)

conformance(
  'an item on a draft is a line of it, and changes with it',
  'InvoiceItems.update: "Updates the amount or description of an invoice item on an upcoming invoice. Updating an invoice item is only possible before the invoice it\'s attached to is closed."',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000])
    const [item] = (await stripe.invoiceItems.list({ invoice: draft.id })).data
    await stripe.invoiceItems.update(item!.id, {
      amount: 1200,
      description: 'Corrected',
      period: { start: seconds('2026-01-01T00:00:00Z'), end: seconds('2026-02-01T00:00:00Z') },
    })
    const changed = await stripe.invoices.retrieve(draft.id)
    const [line] = changed.lines.data
    assert.deepEqual([changed.total, line!.amount, line!.description], [1200, 1200, 'Corrected'])
    assert.equal(line!.period.end, seconds('2026-02-01T00:00:00Z'))
    assert.equal(line!.parent!.invoice_item_details!.invoice_item, item!.id)

    await stripe.invoices.finalizeInvoice(draft.id)
    assert.equal((await refused(stripe.invoiceItems.update(item!.id, { amount: 1 }))).statusCode, 400)
    assert.equal((await refused(stripe.invoiceItems.del(item!.id))).statusCode, 400)
  },
)

conformance(
  'a deleted item leaves its draft',
  'InvoiceItems.del: "Deletes an invoice item, removing it from an invoice. Deleting invoice items is only possible when they\'re not attached to invoices, or if it\'s attached to a draft invoice."',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000, 300])
    const [newest] = (await stripe.invoiceItems.list({ invoice: draft.id })).data
    await stripe.invoiceItems.del(newest!.id)
    assert.equal((await stripe.invoices.retrieve(draft.id)).total, 1000)
  },
)

conformance(
  'a negative amount is a credit, and is not discountable unless it is said to be',
  'InvoiceItemCreateParams.amount: "Passing in a negative `amount` will reduce the `amount_due` on the invoice."; discountable: "Defaults to false for negative invoice items or prorations, and true for all other invoice items."',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000, -250])
    assert.equal(draft.amount_due, 750)
    const [credit, debit] = (await stripe.invoiceItems.list({ invoice: draft.id })).data
    assert.deepEqual([credit!.discountable, debit!.discountable], [false, true])
  },
)

conformance(
  'an item must be in the currency of its invoice, and say only once what it costs',
  'InvoiceItemCreateParams.currency; docs.stripe.com/error-codes: parameters_exclusive',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000])
    const other = stripe.invoiceItems.create({ customer: customer.id, invoice: draft.id, amount: 5, currency: 'eur' })
    assert.equal((await refused(other)).statusCode, 400)
    const twice = stripe.invoiceItems.create({
      customer: customer.id,
      currency: 'usd',
      amount: 5,
      unit_amount_decimal: '5' as never,
    })
    assert.equal((await refused(twice)).statusCode, 400)
    const nothing = stripe.invoiceItems.create({ customer: customer.id, currency: 'usd', description: 'Nothing' })
    assert.equal((await refused(nothing)).statusCode, 400)
  },
)

conformance(
  'an item of a subscription waits for that subscription alone',
  'InvoiceItemCreateParams.subscription: "The ID of a subscription to add this invoice item to. … When left blank, the invoice item is added to the next upcoming scheduled invoice. When set, scheduled invoices for subscriptions other than the specified subscription will ignore the invoice item."',
  async ({ stripe, unique, clock }) => {
    const { customer: create, advance } = await clock('2026-01-10T08:00:00Z')
    const customer = await create()
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'month' },
      product_data: { name: unique('Seat') },
    })
    const start = () => stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    const [first, second] = [await start(), await start()]
    await stripe.invoiceItems.create({ customer: customer.id, amount: 500, currency: 'usd', subscription: second.id })
    await advance('2026-02-10T10:30:00Z')
    const total = async (subscription: string) =>
      (await stripe.invoices.list({ subscription })).data.find((one) => one.billing_reason === 'subscription_cycle')!
        .total
    assert.deepEqual([await total(first.id), await total(second.id)], [1000, 1500])
  },
)

conformance(
  'an invoice holds at most 250 items',
  'InvoiceItemCreateParams.invoice: "Add up to 250 items per invoice."; InvoiceCreatePreviewParams.invoice_items: "List of invoice items to add or update in the upcoming invoice preview (up to 250)."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const draft = await stripe.invoices.create({ customer: customer.id, currency: 'usd' })
    const lines = Array.from({ length: 250 }, (_, index) => ({ amount: 1, description: `Item ${index}` }))
    const full = await stripe.invoices.addLines(draft.id, { lines })
    assert.equal(full.total, 250)
    const more = stripe.invoiceItems.create({ customer: customer.id, invoice: draft.id, amount: 1, currency: 'usd' })
    assert.equal((await refused(more)).statusCode, 400)
  },
)
