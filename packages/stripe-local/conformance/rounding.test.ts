import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'
import { tokens } from './tokens.ts'

const PAGE = 'docs.stripe.com/products-prices/manage-prices: "Rounding occurs on the line item level"'

conformance('a unit price below a cent is rounded once, on the whole quantity', PAGE, async (subject) => {
  const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', {
    unit_amount_decimal: '0.05' as never,
  })
  await use('12350', '2026-01-10T08:00:00Z') // 617.5 cents: half goes up
  await clock.advance('2026-02-10T10:30:00Z')
  const [paid] = await invoices()
  assert.equal(paid!.total, 618)
  assert.equal(String(paid!.lines.data[0]!.pricing!.unit_amount_decimal), '0.05')
})

conformance(
  'twelve decimal places are exact',
  'Price.unit_amount_decimal: "The unit amount in cents (or local equivalent) to be charged, represented as a decimal string with at most 12 decimal places."',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', {
      unit_amount_decimal: '0.000000000001' as never,
    })
    await use('999999999999999', '2026-01-10T08:00:00Z') // 999.999999999999 cents
    await clock.advance('2026-02-10T10:30:00Z')
    assert.equal((await invoices())[0]!.total, 1000)
  },
)

conformance(
  'each tier is rounded by itself, and the rounded lines are added',
  `${PAGE}; observed: graduated tiers are lines of their own`,
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', {
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 1, unit_amount_decimal: '0.5' as never },
        { up_to: 2, unit_amount_decimal: '0.5' as never },
        { up_to: 'inf', unit_amount_decimal: '0.5' as never },
      ],
    })
    await use('3', '2026-01-10T08:00:00Z') // 1.5 cents in all, but 0.5 three times: 1 + 1 + 1
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.deepEqual(
      paid!.lines.data.map((line) => line.amount),
      [1, 1, 1],
    )
    assert.equal(paid!.total, 3)
  },
)

conformance(
  'a fractional quantity is shown in full beside its whole part',
  'InvoiceLineItem.quantity_decimal: "Non-negative decimal with at most 12 decimal places. The quantity of units for the line item."; recording-usage-api: "accepts decimal values"',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', {
      unit_amount_decimal: '200' as never,
    })
    await use('2.255', '2026-01-10T08:00:00Z') // 451 cents
    await clock.advance('2026-02-10T10:30:00Z')
    const [line] = (await invoices())[0]!.lines.data
    assert.deepEqual([line!.amount, line!.quantity, String(line!.quantity_decimal)], [451, 2, '2.255'])
  },
)

conformance(
  'packages are counted on the whole period, up or down',
  'docs.stripe.com/billing/subscriptions/usage-based/manage-billing "Transform quantities"; Price.TransformQuantity.round: "After division, either round the result `up` or `down`."',
  async (subject) => {
    const down = { unit_amount: 5, transform_quantity: { divide_by: 1000, round: 'down' as const } }
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', down)
    for (const value of ['400', '400', '400', '799']) await use(value, '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.deepEqual([paid!.total, paid!.lines.data[0]!.quantity], [5, 1999]) // one whole package
  },
)

conformance(
  'a first tier with a flat amount bills it without any usage',
  'docs.stripe.com/subscriptions/pricing-models/tiered-pricing: "Stripe always bills the first flat rate tier when quantity=0."',
  async (subject) => {
    const { clock, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', {
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 100, unit_amount: 1, flat_amount: 900 },
        { up_to: 'inf', unit_amount: 1 },
      ],
    })
    await clock.advance('2026-02-10T10:30:00Z')
    assert.equal((await invoices())[0]!.total, 900)
  },
)
