import type { Account } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { flag, list, oneOf, shape, text, timestamp, unsettable } from '../http/params.ts'
import { listSlice, paging, route } from '../http/route.ts'
import { type Invoice, linesOf } from '../invoices/invoice.ts'
import { Previews } from '../previews/preview.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { customerParameter } from './customers.ts'
import { billingMode, checkProrationDate, itemChange } from './subscriptions.ts'

const previews = new WeakMap<Account, Previews>()

function previewsOf(account: Account): Previews {
  const kept = previews.get(account) ?? new Previews()
  previews.set(account, kept)
  return kept
}

export const invoicePreviewRoutes = [
  route(
    'POST',
    '/v1/invoices/create_preview',
    {
      customer: text(),
      subscription: text(),
      preview_mode: oneOf('next'),
      subscription_details: shape({
        billing_cycle_anchor: shape({ type: oneOf('now', 'unchanged') }),
        billing_mode: billingMode,
        cancel_at: unsettable(timestamp()),
        cancel_at_period_end: flag(),
        cancel_now: flag(),
        items: list(itemChange, { max: 20 }),
        proration_behavior: oneOf('always_invoice', 'create_prorations', 'none'),
        proration_date: timestamp(),
      }),
    },
    (account, params) => {
      if (params.customer === undefined && params.subscription === undefined) {
        throw refuse('You must provide at least one of `customer`, `customer_details`, `subscription` or `schedule`.')
      }
      const stored =
        params.subscription === undefined
          ? null
          : account.reference<Subscription>('subscription', params.subscription, 'subscription')
      if (stored && params.customer !== undefined && params.customer !== stored.customer) {
        throw refuse(`The subscription ${stored.id} does not belong to the customer ${params.customer}.`, {
          param: 'subscription',
        })
      }
      const customer = customerParameter(account, params.customer ?? stored!.customer)
      const details = params.subscription_details ?? {}
      if (details.proration_date !== undefined && stored) checkProrationDate(account, stored, details.proration_date)
      return previewsOf(account).preview(account, {
        customer,
        subscription: stored,
        items: details.items,
        cancelAtPeriodEnd: details.cancel_at_period_end,
        cancelAt: details.cancel_at,
        cancelNow: details.cancel_now,
        resetAnchor: details.billing_cycle_anchor?.type === 'now',
        billing: {
          at: details.proration_date ?? account.seconds(customer.test_clock),
          behavior: details.proration_behavior ?? 'create_prorations',
        },
      })
    },
  ),

  // A preview's lines can be paged through like an invoice's.
  route('GET', '/v1/invoices/:id/lines', paging, (account, params, { id }) => {
    const lines = previewsOf(account).linesOf(id!) ?? linesOf(account.get<Invoice>('invoice', id!))
    return listSlice(lines, `/v1/invoices/${id}/lines`, params, 'line item')
  }),
]
