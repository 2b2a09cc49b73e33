import type { Account } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { newId } from '../identifier.ts'
import type { Customer } from '../resources/customers.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { draftInvoice } from './draft.ts'
import type { Invoice } from './invoice.ts'

/** A new draft with the lines of a finalized invoice, to be edited; once it is finalized the old invoice is void. */
export function reviseInvoice(account: Account, revised: Invoice): Invoice {
  if (revised.status !== 'open' && revised.status !== 'uncollectible') {
    throw refuse('You can only revise open or uncollectible invoices.', { param: 'from_invoice[invoice]' })
  }
  const subscription = revised.parent?.subscription_details.subscription
  return draftInvoice(account, {
    customer: account.get<Customer>('customer', revised.customer),
    subscription: subscription === undefined ? null : account.get<Subscription>('subscription', subscription),
    reason: revised.billing_reason,
    lines: revised._lines.map(({ _usage, _used, ...line }) => ({
      ...line,
      id: newId('il'),
      pretax_credit_amounts: [],
    })),
    usage: [],
    period: { start: revised.period_start, end: revised.period_end },
    currency: revised.currency,
    autoAdvance: false,
    metadata: revised.metadata,
    collectionMethod: revised.collection_method,
    fields: {
      custom_fields: revised.custom_fields,
      default_payment_method: revised.default_payment_method,
      description: revised.description,
      due_date: revised.due_date,
      footer: revised.footer,
      from_invoice: { action: 'revision', invoice: revised.id },
    },
  })
}
