import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, seconds } from './conformance.ts'
import { eventsOf, linesOf } from './plans.ts'
import { tokens } from './tokens.ts'

conformance(
  'a renewal is a draft for an hour, then finalized and charged',
  'docs.stripe.com/billing/invoices/subscription: "Stripe leaves the invoice in draft status for approximately 1 hour"; Invoice.billing_reason: subscription_cycle',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('12345', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T08:30:00Z')
    const [draft] = await invoices()
    assert.deepEqual([draft!.status, draft!.billing_reason, draft!.auto_advance], ['draft', 'subscription_cycle', true])
    assert.ok(draft!.automatically_finalizes_at)
    const [line] = draft!.lines.data
    assert.deepEqual(line!.period, { start: seconds('2026-01-10T08:00:00Z'), end: seconds('2026-02-10T08:00:00Z') })
    assert.equal(line!.parent!.type, 'subscription_item_details')
    assert.equal(draft!.parent!.type, 'subscription_details')

    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.equal(paid!.id, draft!.id)
    // 12,345 tokens begin 13 packages of 1,000 at 5 cents: 65 cents.
    assert.deepEqual([paid!.status, paid!.total, paid!.amount_paid, paid!.attempt_count], ['paid', 65, 65, 1])
    assert.equal(paid!.automatically_finalizes_at, null)
  },
)

conformance(
  'the events of a renewal: created, finalized, paid, payment_succeeded',
  'docs.stripe.com/billing/subscriptions/webhooks: invoice.created, invoice.finalized, invoice.paid, invoice.payment_succeeded',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('20000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    await subject.eventually(async () => {
      const types = (await eventsOf(subject.stripe, paid!.id, 'invoice.')).filter((type) => type !== 'invoice.updated')
      assert.deepEqual(types, ['invoice.created', 'invoice.finalized', 'invoice.paid', 'invoice.payment_succeeded'])
    })
    const { data } = await subject.stripe.invoicePayments.list({ invoice: paid!.id })
    assert.deepEqual([data[0]!.status, data[0]!.amount_paid], ['paid', 100])
  },
)

conformance(
  'an amount below the minimum charge waits in the balance for the next invoice',
  'Invoice.amount_due: "If the invoice\'s total is less than the minimum charge amount, for example, there may be cases where amount_due is 0 … the amount_due may also be added to the customer balance"; docs.stripe.com/currencies: USD 0.50',
  async (subject) => {
    const { clock, use, invoices, customer } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('1', '2026-01-10T08:00:00Z') // one package: 5 cents
    await clock.advance('2026-02-10T10:30:00Z')
    const [small] = await invoices()
    assert.deepEqual([small!.status, small!.total, small!.amount_due, small!.ending_balance], ['paid', 5, 0, 5])
    assert.equal(((await subject.stripe.customers.retrieve(customer.id)) as { balance: number }).balance, 5)
    const [why] = (await subject.stripe.customers.listBalanceTransactions(customer.id)).data
    assert.deepEqual([why!.type, why!.amount], ['invoice_too_small', 5])

    await use('20000', '2026-02-10T10:30:00Z') // 20 packages: 100 cents, and the 5 that waited
    await clock.advance('2026-03-10T10:30:00Z')
    const [next] = await invoices()
    assert.deepEqual([next!.total, next!.starting_balance, next!.amount_due, next!.amount_paid], [100, 5, 105, 105])
  },
)

conformance(
  'a draft that does not advance stays until it is finalized by hand',
  'InvoiceUpdateParams.auto_advance: "Controls whether Stripe performs automatic collection of the invoice."',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('20000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T08:10:00Z')
    const [draft] = await invoices()
    const held = await subject.stripe.invoices.update(draft!.id, { auto_advance: false })
    assert.equal(held.automatically_finalizes_at, null)
    await clock.advance('2026-02-12T08:00:00Z')
    assert.equal((await subject.stripe.invoices.retrieve(draft!.id)).status, 'draft')
    assert.equal((await subject.stripe.invoices.finalizeInvoice(draft!.id)).status, 'open')
  },
)

conformance(
  'a renewal that cannot be charged is tried again, and paying it mends the subscription',
  'Subscription.status: "If payment of a renewal invoice fails … the subscription becomes past_due"; Invoice.next_payment_attempt: "The time at which payment will next be attempted"',
  async (subject) => {
    const { stripe } = subject
    const { clock, use, invoices, customer, subscription } = await tokens(subject, '2026-01-10T08:00:00Z')
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: failing.id } })
    await use('20000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [open] = await invoices()
    assert.deepEqual([open!.status, open!.attempted, open!.attempt_count], ['open', true, 1])
    assert.ok(open!.next_payment_attempt! > open!.status_transitions.finalized_at!)
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'past_due')
    // "An automatic payment failure … will set this field to `true`", "Paying an invoice … to `false`".
    assert.equal(((await stripe.customers.retrieve(customer.id)) as Stripe.Customer).delinquent, true)
    const types = await eventsOf(stripe, open!.id, 'invoice.')
    assert.ok(types.includes('invoice.payment_failed'))

    const good = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    await stripe.invoices.pay(open!.id, { payment_method: good.id })
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'active')
    assert.equal(((await stripe.customers.retrieve(customer.id)) as Stripe.Customer).delinquent, false)
  },
)

conformance(
  'a period without usage is billed 0.00 and paid at once',
  'docs.stripe.com/billing/invoices/subscription; observed: a renewal line of quantity 0 (recorded 2020)',
  async (subject) => {
    const { clock, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [empty] = await invoices()
    assert.deepEqual([empty!.status, empty!.total, empty!.amount_paid], ['paid', 0, 0])
    assert.deepEqual(linesOf(empty!), ['0 0 × Essential (at $0.05 per 1000 units / month)'])
  },
)

conformance(
  'a subscription that is billed by mail is past due when its invoice is not paid by the due date',
  'Subscription.status: "If subscription `collection_method=send_invoice` it becomes `past_due` when its invoice is not paid by the due date"',
  async (subject) => {
    const { stripe } = subject
    const { clock, use, invoices, subscription } = await tokens(subject, '2026-01-10T08:00:00Z')
    await stripe.subscriptions.update(subscription.id, { collection_method: 'send_invoice', days_until_due: 7 })
    await use('20000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [open] = await invoices()
    assert.deepEqual([open!.status, open!.collection_method, open!.attempted], ['open', 'send_invoice', false])
    assert.ok(open!.due_date! - open!.created >= 7 * 86_400 - 60)
    assert.ok((await eventsOf(stripe, open!.id, 'invoice.')).includes('invoice.sent'))
    await clock.advance('2026-02-18T10:30:00Z')
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'past_due')
  },
)

conformance(
  'after the last retry the subscription ends, as the account has it, and the invoice stays open',
  'Subscription.status: "When collection_method=charge_automatically, it becomes past_due when payment is required but cannot be paid … If payment is still not received after all attempts have been exhausted, the subscription becomes canceled or unpaid"',
  async (subject) => {
    const { stripe } = subject
    const { clock, use, invoices, customer, subscription } = await tokens(subject, '2026-01-10T08:00:00Z')
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: failing.id } })
    await use('20000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const attempts = [(await invoices())[0]!.attempt_count]
    for (const at of ['2026-02-13T12:00:00Z', '2026-02-18T12:00:00Z', '2026-02-25T12:00:00Z']) {
      await clock.advance(at)
      attempts.push((await invoices())[0]!.attempt_count)
    }
    assert.deepEqual(attempts, [1, 2, 3, 4])
    const [open] = await invoices()
    assert.deepEqual([open!.status, open!.next_payment_attempt], ['open', null])
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'canceled')
  },
  { localOnly: 'Smart Retries have no fixed table of days, and what follows the last is a setting of the account.' },
)

conformance(
  'invoice.updated tells what the invoice was before',
  'Event.data.previous_attributes: "Object containing the names of the updated attributes and their values prior to the event"',
  async (subject) => {
    const { stripe } = subject
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('20000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    await subject.eventually(async () => {
      const { data } = await stripe.events.list({ type: 'invoice.updated', limit: 100 })
      const [latest] = data.filter((event) => (event.data.object as { id?: string }).id === paid!.id)
      const before = latest!.data.previous_attributes as Partial<Stripe.Invoice>
      assert.deepEqual([before.status, before.amount_paid, before.amount_remaining], ['open', 0, 100])
      assert.equal((latest!.data.object as Stripe.Invoice).status, 'paid')
    })
  },
)
