import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, seconds } from './conformance.ts'
import { eventsOf } from './plans.ts'
import { refused } from './refusal.ts'
import { tokens } from './tokens.ts'

const PAGE = 'docs.stripe.com/billing/subscriptions/usage-based/billing-credits'

/** Credits in dollars' cents for all metered prices. */
const grantOf = (customer: string, value: number, more: Partial<Stripe.Billing.CreditGrantCreateParams> = {}) => ({
  customer,
  amount: { type: 'monetary' as const, monetary: { currency: 'usd', value } },
  applicability_config: { scope: { price_type: 'metered' as const } },
  ...more,
})
const balanceOf = async (
  stripe: Stripe,
  customer: string,
  filter: Stripe.Billing.CreditBalanceSummaryRetrieveParams['filter'],
) => {
  const { balances } = await stripe.billing.creditBalanceSummaries.retrieve({ customer, filter })
  return [balances[0]?.available_balance.monetary?.value ?? 0, balances[0]?.ledger_balance.monetary?.value ?? 0]
}
const METERED = { type: 'applicability_scope' as const, applicability_scope: { price_type: 'metered' as const } }

conformance(
  'a grant has an amount, a scope and defaults, and is written in the ledger',
  'CreditGrantCreateParams: category "defaults to `paid` if not specified", priority "default value of 50", effective_at "defaults to the current timestamp"; CreditBalanceTransaction.credit.type: credits_granted',
  async (subject) => {
    const { stripe } = subject
    const { customer, clock } = await tokens(subject, '2026-01-10T08:00:00Z')
    const grant = await stripe.billing.creditGrants.create(grantOf(customer.id, 1000, { name: 'Welcome' }))
    assert.deepEqual([grant.category, grant.priority, grant.name], ['paid', 50, 'Welcome'])
    assert.deepEqual([grant.expires_at, grant.voided_at, grant.test_clock], [null, null, clock.id])
    assert.equal(grant.effective_at, seconds('2026-01-10T08:00:00Z'))
    const { data } = await stripe.billing.creditBalanceTransactions.list({
      customer: customer.id,
      credit_grant: grant.id,
    })
    assert.equal(data.length, 1)
    assert.deepEqual([data[0]!.type, data[0]!.credit!.type, data[0]!.debit], ['credit', 'credits_granted', null])
    assert.equal(data[0]!.credit!.amount.monetary!.value, 1000)
    assert.deepEqual(await balanceOf(stripe, customer.id, METERED), [1000, 1000])
    assert.deepEqual(
      await balanceOf(stripe, customer.id, { type: 'credit_grant', credit_grant: grant.id }),
      [1000, 1000],
    )
    await subject.eventually(async () => {
      assert.deepEqual(await eventsOf(stripe, grant.id, 'billing.credit_grant.'), ['billing.credit_grant.created'])
    })
  },
)

conformance(
  'credits pay for metered lines when the invoice is finalized; the preview shows them before',
  `${PAGE}: "After the invoice finalizes, Stripe automatically applies all applicable billing credits."; Invoice.total_pretax_credit_amounts`,
  async (subject) => {
    const { stripe } = subject
    const { customer, clock, use, invoices, subscription } = await tokens(subject, '2026-01-10T08:00:00Z')
    const grant = await stripe.billing.creditGrants.create(grantOf(customer.id, 300))
    await use('100000', '2026-01-10T08:00:00Z') // 100 packages: 500 cents
    const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
    assert.deepEqual([preview.subtotal, preview.total], [500, 200])
    assert.equal(preview.total_pretax_credit_amounts![0]!.credit_balance_transaction, null)
    assert.deepEqual(await balanceOf(stripe, customer.id, METERED), [300, 300])

    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.deepEqual([paid!.subtotal, paid!.total, paid!.amount_paid], [500, 200, 200])
    const [credit] = paid!.lines.data[0]!.pretax_credit_amounts!
    assert.deepEqual([credit!.amount, credit!.type], [300, 'credit_balance_transaction'])
    assert.deepEqual(paid!.total_pretax_credit_amounts, [credit])
    const spent = await stripe.billing.creditBalanceTransactions.retrieve(String(credit!.credit_balance_transaction))
    assert.deepEqual(
      [spent.type, spent.debit!.type, spent.debit!.amount.monetary!.value],
      ['debit', 'credits_applied', 300],
    )
    assert.deepEqual(spent.debit!.credits_applied, { invoice: paid!.id, invoice_line_item: paid!.lines.data[0]!.id })
    assert.equal(spent.credit_grant, grant.id)
    assert.deepEqual(await balanceOf(stripe, customer.id, METERED), [0, 0])
  },
)

conformance(
  'grants are used by priority, then expiry, then promotional before paid, then the older',
  `${PAGE}#multiple-credit-grants: priority, then the grant that expires sooner, then promotional before paid, then effective_at, then created`,
  async (subject) => {
    const { stripe } = subject
    const { customer, clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    const give = async (value: number, more: Partial<Stripe.Billing.CreditGrantCreateParams> = {}) =>
      (await stripe.billing.creditGrants.create(grantOf(customer.id, value, more))).id
    const june = seconds('2026-06-01T00:00:00Z')
    const may = seconds('2026-05-01T00:00:00Z')
    const plain = await give(10)
    const promotional = await give(20, { category: 'promotional' })
    const later = await give(30, { expires_at: june })
    const sooner = await give(40, { expires_at: may })
    const first = await give(50, { priority: 1 })
    await use('40000', '2026-01-10T08:00:00Z') // 40 packages: 200 cents, more than all credits
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.equal(paid!.total, 50) // 200 less 150
    const order: string[] = []
    for (const credit of paid!.lines.data[0]!.pretax_credit_amounts!) {
      const spent = await stripe.billing.creditBalanceTransactions.retrieve(String(credit.credit_balance_transaction))
      order.push(String(spent.credit_grant))
    }
    assert.deepEqual(order, [first, sooner, later, promotional, plain])
  },
)

conformance(
  'a grant for some prices pays for no other',
  'CreditGrantCreateParams.ApplicabilityConfig.Scope.prices: "A list of prices that the credit grant can apply to. We currently only support the `metered` prices. Cannot be used in combination with `price_type`."',
  async (subject) => {
    const { stripe } = subject
    const { customer, clock, use, invoices, price } = await tokens(subject, '2026-01-10T08:00:00Z')
    const other = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1,
      recurring: { interval: 'month', usage_type: 'metered', meter: price.recurring!.meter! },
      product_data: { name: 'Other' },
    })
    const scope = (ids: string[]) => ({ applicability_config: { scope: { prices: ids.map((id) => ({ id })) } } })
    await stripe.billing.creditGrants.create(grantOf(customer.id, 70, scope([other.id])))
    await stripe.billing.creditGrants.create(grantOf(customer.id, 30, scope([price.id])))
    await use('40000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    assert.equal((await invoices())[0]!.total, 170) // 200 less 30

    const both = { applicability_config: { scope: { price_type: 'metered' as const, prices: [{ id: price.id }] } } }
    assert.equal((await refused(stripe.billing.creditGrants.create(grantOf(customer.id, 1, both)))).statusCode, 400)
    const seat = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1,
      recurring: { interval: 'month' },
      product_data: { name: 'Seat' },
    })
    const licensed = stripe.billing.creditGrants.create(grantOf(customer.id, 1, scope([seat.id])))
    assert.equal((await refused(licensed)).statusCode, 400)
  },
)

conformance(
  'what is left of a grant expires when it does',
  'CreditGrant.expires_at: "The time when the billing credits expire."; CreditBalanceTransaction.debit.type: credits_expired',
  async (subject) => {
    const { stripe } = subject
    const { customer, clock } = await tokens(subject, '2026-01-10T08:00:00Z')
    const grant = await stripe.billing.creditGrants.create(
      grantOf(customer.id, 300, { expires_at: seconds('2026-01-20T00:00:00Z') }),
    )
    await clock.advance('2026-01-21T00:00:00Z')
    const { data } = await stripe.billing.creditBalanceTransactions.list({
      customer: customer.id,
      credit_grant: grant.id,
    })
    assert.deepEqual([data[0]!.debit!.type, data[0]!.debit!.amount.monetary!.value], ['credits_expired', 300])
    assert.deepEqual(await balanceOf(stripe, customer.id, METERED), [0, 0])
  },
)

conformance(
  'a grant that is not yet effective is in the ledger but not available, and pays nothing',
  'CreditGrant.effective_at: "The time when the billing credits become effective-when they\'re eligible for use."',
  async (subject) => {
    const { stripe } = subject
    const { customer, clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await stripe.billing.creditGrants.create(
      grantOf(customer.id, 300, { effective_at: seconds('2026-03-01T00:00:00Z') }),
    )
    const [available] = await balanceOf(stripe, customer.id, METERED)
    assert.equal(available, 0)
    await use('20000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    assert.equal((await invoices())[0]!.total, 100)
  },
)

conformance(
  'a voided invoice gives its credits back',
  'docs.stripe.com/changelog/acacia/2024-12-18/billing-credits-invoice-voiding: "Voiding an invoice with credits applied reinstates the applied balance to the credit grant."',
  async (subject) => {
    const { stripe } = subject
    const { customer, clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    const grant = await stripe.billing.creditGrants.create(grantOf(customer.id, 100))
    await use('100000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T08:10:00Z')
    const [draft] = await invoices()
    await stripe.invoices.update(draft!.id, { auto_advance: false })
    const open = await stripe.invoices.finalizeInvoice(draft!.id)
    assert.deepEqual([open.total, open.status], [400, 'open'])
    assert.deepEqual(await balanceOf(stripe, customer.id, METERED), [0, 0])
    await stripe.invoices.voidInvoice(open.id)
    assert.deepEqual(await balanceOf(stripe, customer.id, METERED), [100, 100])
    const { data } = await stripe.billing.creditBalanceTransactions.list({
      customer: customer.id,
      credit_grant: grant.id,
    })
    const given = data[0]!.credit!
    assert.deepEqual([given.type, given.amount.monetary!.value], ['credits_application_invoice_voided', 100])
    assert.equal(given.credits_application_invoice_voided!.invoice, open.id)
  },
)

conformance(
  'a grant can be changed, expired and voided; one that was used cannot be voided',
  `CreditGrantUpdateParams: expires_at "If set to empty, the billing credits never expire."; ${PAGE}: a credit grant can be voided while none of it was applied`,
  async (subject) => {
    const { stripe } = subject
    const { customer, clock, use } = await tokens(subject, '2026-01-10T08:00:00Z')
    const give = (value: number) => stripe.billing.creditGrants.create(grantOf(customer.id, value))
    const [first, second] = [await give(10), await give(20)]
    const changed = await stripe.billing.creditGrants.update(first.id, {
      expires_at: seconds('2026-09-01T00:00:00Z'),
      metadata: { cost: '5' },
    })
    assert.deepEqual([changed.expires_at, changed.metadata.cost], [seconds('2026-09-01T00:00:00Z'), '5'])
    assert.equal((await stripe.billing.creditGrants.update(first.id, { expires_at: '' })).expires_at, null)

    const voided = await stripe.billing.creditGrants.voidGrant(second.id)
    assert.equal(voided.voided_at, seconds('2026-01-10T08:00:00Z'))
    assert.deepEqual(await balanceOf(stripe, customer.id, METERED), [10, 10])
    const expired = await stripe.billing.creditGrants.expire((await give(40)).id)
    assert.equal(expired.expires_at, seconds('2026-01-10T08:00:00Z'))
    assert.deepEqual(await balanceOf(stripe, customer.id, METERED), [10, 10])

    await use('100000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    assert.equal((await refused(stripe.billing.creditGrants.voidGrant(first.id))).statusCode, 400)
    const { data } = await stripe.billing.creditGrants.list({ customer: customer.id })
    assert.equal(data.length, 3)
  },
)

conformance(
  'credits are for metered lines only',
  `${PAGE}/implementation-guide: "Billing credits only apply to subscription invoice line items that link to a billing meter price."`,
  async (subject) => {
    const { stripe } = subject
    const { customer, clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await stripe.billing.creditGrants.create(grantOf(customer.id, 1000))
    await stripe.invoiceItems.create({ customer: customer.id, amount: 500, currency: 'usd' })
    await use('20000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.deepEqual([paid!.subtotal, paid!.total], [600, 500])
  },
)

conformance(
  'credits that come back after their grant has expired expire at once',
  'docs.stripe.com/changelog/acacia/2024-12-18/billing-credits-invoice-voiding: "If the credit grant is past the expiration date, the reinstated credits expire immediately."',
  async (subject) => {
    const { stripe } = subject
    const { customer, clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    const expires_at = seconds('2026-02-15T00:00:00Z')
    const grant = await stripe.billing.creditGrants.create(grantOf(customer.id, 100, { expires_at }))
    await use('100000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T08:10:00Z')
    const [draft] = await invoices()
    await stripe.invoices.update(draft!.id, { auto_advance: false })
    await stripe.invoices.finalizeInvoice(draft!.id)
    await clock.advance('2026-02-20T00:00:00Z')
    await stripe.invoices.voidInvoice(draft!.id)
    assert.deepEqual(await balanceOf(stripe, customer.id, METERED), [0, 0])
    const { data } = await stripe.billing.creditBalanceTransactions.list({
      customer: customer.id,
      credit_grant: grant.id,
    })
    assert.deepEqual(
      data.map((one) => one.credit?.type ?? one.debit!.type),
      ['credits_expired', 'credits_application_invoice_voided', 'credits_applied', 'credits_granted'],
    )
  },
)
