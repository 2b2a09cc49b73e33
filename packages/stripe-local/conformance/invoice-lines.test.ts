import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'
import { linesOf } from './plans.ts'
import { refused } from './refusal.ts'
import { draftOf, payer, tokens } from './tokens.ts'

conformance(
  'lines are added to a draft, changed and removed in bulk',
  'Invoices.addLines: "Adds multiple line items to an invoice. This is only possible when an invoice is still a draft."; updateLines, removeLines likewise',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [])
    const pending = await stripe.invoiceItems.create({
      customer: customer.id,
      amount: 300,
      currency: 'usd',
      description: 'Waiting',
    })
    const added = await stripe.invoices.addLines(draft.id, {
      lines: [
        { amount: 1000, description: 'One' },
        { invoice_item: pending.id },
        {
          quantity: 2,
          description: 'Two',
          price_data: { currency: 'usd', unit_amount: 50, product_data: { name: 'Pen' } },
        },
      ],
      invoice_metadata: { batch: '7' },
    })
    assert.equal(added.total, 1400)
    assert.deepEqual(added.metadata, { batch: '7' })
    assert.deepEqual(linesOf(added).toSorted(), ['100 Two', '1000 One', '300 Waiting'])

    const one = added.lines.data.find((line) => line.description === 'One')!
    const waiting = added.lines.data.find((line) => line.description === 'Waiting')!
    const two = added.lines.data.find((line) => line.description === 'Two')!
    const changed = await stripe.invoices.updateLines(draft.id, {
      lines: [{ id: one.id, amount: 900, description: 'First' }],
    })
    assert.equal(changed.total, 1300)
    const left = await stripe.invoices.removeLines(draft.id, {
      lines: [
        { id: waiting.id, behavior: 'unassign' },
        { id: two.id, behavior: 'delete' },
      ],
    })
    assert.deepEqual(linesOf(left), ['900 First'])
    assert.equal((await stripe.invoiceItems.retrieve(pending.id)).invoice, null) // it waits again
    assert.equal(
      (await refused(stripe.invoiceItems.retrieve(two.parent!.invoice_item_details!.invoice_item))).statusCode,
      404,
    )

    await stripe.invoices.finalizeInvoice(draft.id)
    const late = await refused(stripe.invoices.addLines(draft.id, { lines: [{ amount: 1, description: 'Late' }] }))
    assert.equal(late.statusCode, 400)
  },
)

conformance(
  'a line is changed by itself, and its invoice item with it',
  'Invoices.updateLineItem: "Other fields, such as amount, live on both the invoice item and the invoice line item, so updates on this endpoint will propagate to the invoice item as well."',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000])
    const line = await stripe.invoices.updateLineItem(draft.id, draft.lines.data[0]!.id, {
      amount: 800,
      metadata: { seen: 'yes' },
    })
    assert.deepEqual([line.amount, line.metadata.seen], [800, 'yes'])
    const item = await stripe.invoiceItems.retrieve(line.parent!.invoice_item_details!.invoice_item)
    assert.equal(item.amount, 800)
    assert.equal((await stripe.invoices.retrieve(draft.id)).total, 800)
  },
)

conformance(
  'an invoice shows its first lines; all of them are paged through',
  'Invoices.listLineItems: "When retrieving an invoice, you\'ll get a lines property containing the total count of line items and the first handful of those items. There is also a URL where you can retrieve the full (paginated) list of line items."',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [])
    const lines = Array.from({ length: 25 }, (_, index) => ({ amount: index + 1, description: `Item ${index}` }))
    const invoice = await stripe.invoices.addLines(draft.id, { lines })
    assert.equal(invoice.lines.has_more, true)
    let sum = 0
    for await (const line of stripe.invoices.listLineItems(draft.id, { limit: 10 })) sum += line.amount
    assert.equal(sum, 325) // 1 + 2 + … + 25
  },
)

conformance(
  'what waited comes before what the subscription bills',
  'observed: pending invoice items newest first, then subscription items (recorded renewals)',
  async (subject) => {
    const { clock, use, invoices, customer } = await tokens(subject, '2026-01-10T08:00:00Z')
    const add = (description: string) =>
      subject.stripe.invoiceItems.create({ customer: customer.id, amount: 100, currency: 'usd', description })
    await add('First')
    await add('Second')
    await use('1000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.deepEqual(linesOf(paid!), [
      '100 Second',
      '100 First',
      '5 1000 × Essential (at $0.05 per 1000 units / month)',
    ])
  },
)

conformance(
  'graduated tiers: a line for each tier reached and one for its flat amount',
  'observed: recorded invoices, `<qty> × <product> (Tier <n> at <amount> / <interval>)`; docs.stripe.com/subscriptions/pricing-models/tiered-pricing',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', {
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 100, unit_amount: 5, flat_amount: 200 },
        { up_to: 'inf', unit_amount: 3 },
      ],
    })
    await use('150', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.deepEqual(linesOf(paid!), [
      '500 100 × Essential (Tier 1 at $0.05 / month)',
      '200 Essential (Tier 1 at $2.00 / month)',
      '150 50 × Essential (Tier 2 at $0.03 / month)',
      '0 Essential (Tier 2 at $0.00 / month)',
    ])
    assert.equal(paid!.total, 850)
  },
)

conformance(
  'volume: all units at the tier reached',
  'docs.stripe.com/subscriptions/pricing-models/tiered-pricing: "With volume-based pricing, the subscription item is billed at the tier corresponding to the amount of usage at the end of the period"',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', {
      billing_scheme: 'tiered',
      tiers_mode: 'volume',
      tiers: [
        { up_to: 100, unit_amount: 5 },
        { up_to: 'inf', unit_amount: 3 },
      ],
    })
    await use('150', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.equal(paid!.total, 450) // 150 × 3
  },
)
