import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'
import { refused } from './refusal.ts'
import { draftOf, payer, tokens } from './tokens.ts'

const PAGE = 'docs.stripe.com/currencies'

conformance(
  'yen have no decimals: the amount is the number of yen',
  `${PAGE}: "zero-decimal currencies"`,
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', {
      currency: 'jpy',
      unit_amount_decimal: '0.5' as never,
    })
    await use('201', '2026-01-10T08:00:00Z') // 100.5 yen
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.deepEqual([paid!.currency, paid!.total, paid!.amount_paid], ['jpy', 101, 101])
    assert.equal(paid!.lines.data[0]!.description, '201 × Essential (at ¥0.5 / month)')
  },
)

conformance(
  'three-decimal amounts end in 0',
  `${PAGE}: "To ensure compatibility with Stripe's payments partners, these API calls require the least-significant (last) digit to be 0."`,
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z', {
      currency: 'kwd',
      unit_amount_decimal: '1.5' as never,
    })
    await use('1003', '2026-01-10T08:00:00Z') // 1504.5 fils: to the nearest ten
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.equal(paid!.total, 1500)
  },
)

conformance(
  'krónur are charged whole; what is odd goes to the balance',
  `${PAGE}: ISK "Stripe treats ISK as a two-decimal currency … you can't charge fractions"; invoice amounts are rounded to the nearest hundred`,
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [12_345], { currency: 'isk' })
    const open = await stripe.invoices.finalizeInvoice(draft.id)
    assert.deepEqual([open.total, open.amount_due, open.ending_balance], [12_345, 12_300, 45])
    const second = await draftOf(stripe, customer.id, [12_305], { currency: 'isk' })
    const next = await stripe.invoices.finalizeInvoice(second.id)
    // 12,305 and the 45 that waited: 12,350 goes up, and 50 is credited.
    assert.deepEqual([next.starting_balance, next.amount_due, next.ending_balance], [45, 12_400, -50])
  },
)

conformance(
  "the minimum charge is the currency's",
  `${PAGE} "Minimum and maximum charge amounts": GBP 0.30, JPY 50`,
  async ({ stripe }) => {
    const due = async (currency: string, amount: number) => {
      const customer = await payer(stripe)
      const draft = await draftOf(stripe, customer.id, [amount], { currency })
      return (await stripe.invoices.finalizeInvoice(draft.id)).amount_due
    }
    assert.deepEqual([await due('gbp', 29), await due('gbp', 30)], [0, 30])
    assert.deepEqual([await due('usd', 49), await due('usd', 50)], [0, 50])
    assert.deepEqual([await due('jpy', 49), await due('jpy', 50)], [0, 50])
  },
)

conformance(
  "a price in several currencies is billed in the subscription's",
  'PriceCreateParams.currency_options: "Prices defined in each available currency option."; SubscriptionCreateParams.currency',
  async ({ stripe, unique, clock }) => {
    const { customer: create } = await clock('2026-01-10T08:00:00Z')
    const customer = await create()
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      currency_options: { eur: { unit_amount: 900 } },
      recurring: { interval: 'month' },
      product_data: { name: unique('Seat') },
    })
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      currency: 'eur',
      items: [{ price: price.id }],
    })
    const invoice = await stripe.invoices.retrieve(String(subscription.latest_invoice))
    assert.deepEqual([invoice.currency, invoice.total], ['eur', 900])
    assert.match(invoice.lines.data[0]!.description!, /€9\.00/)
  },
)

conformance('a currency Stripe does not know is refused', `${PAGE}: supported currencies`, async ({ stripe }) => {
  const customer = await stripe.customers.create()
  const error = await refused(stripe.invoiceItems.create({ customer: customer.id, amount: 5, currency: 'xxx' }))
  assert.equal(error.statusCode, 400)
  assert.match(error.message, /Invalid currency: xxx/)
})
