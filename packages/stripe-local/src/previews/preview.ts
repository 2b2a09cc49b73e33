import type { Account, Wire } from '../account.ts'
import { ApiError, refuse } from '../http/errors.ts'
import { newId } from '../identifier.ts'
import { type Invoice, linesOf, presentInvoice } from '../invoices/invoice.ts'
import type { Customer } from '../resources/customers.ts'
import { finalInvoice } from '../subscriptions/cancel.ts'
import {
  type Billing,
  cancelFields,
  changeItems,
  type ItemChange,
  resetAnchor,
  updateInvoice,
} from '../subscriptions/change.ts'
import { createSubscription } from '../subscriptions/create.ts'
import { nextInvoice } from '../subscriptions/renewal.ts'
import { isOver, itemsOf, type Subscription, subscriptionOf } from '../subscriptions/subscription.ts'

export interface Wish {
  customer: Customer
  /** Null: the customer's own next one, or a new subscription when there are items. */
  subscription: Subscription | null
  items?: ItemChange[] | undefined
  cancelAtPeriodEnd?: boolean | undefined
  cancelAt?: number | null | undefined
  cancelNow?: boolean | undefined
  resetAnchor?: boolean | undefined
  billing: Billing
}

const KEPT_MAX = 100

/** Previews are not stored, but their lines can be paged through for a while. */
export class Previews {
  readonly #lines = new Map<string, Wire[]>()

  linesOf(id: string): Wire[] | undefined {
    return this.#lines.get(id)
  }

  /** What the next invoice would be. It is really made, with the change that is wished for, and undone. */
  preview(account: Account, wish: Wish): Wire {
    const invoice = account.rehearse(() => tryOut(account, wish))
    if (!invoice) throw nothingToBill(wish.customer)
    const id = newId('upcoming_in')
    const shown: Invoice = {
      ...invoice,
      id,
      automatically_finalizes_at: null,
      billing_reason: 'upcoming',
      webhooks_delivered_at: null,
      _lines: invoice._lines.map((line) => ({ ...line, id: newId('il_tmp') })),
    }
    this.#keep(id, linesOf(shown))
    return presentInvoice(account, shown)
  }

  #keep(id: string, lines: Wire[]): void {
    this.#lines.set(id, lines)
    for (const oldest of this.#lines.keys()) {
      if (this.#lines.size <= KEPT_MAX) break
      this.#lines.delete(oldest)
    }
  }
}

function tryOut(account: Account, wish: Wish): Invoice | null {
  const stored = wish.subscription ?? nextOf(account, wish.customer)
  if (!stored) return wish.items ? tryNew(account, wish, wish.items) : null
  if (isOver(stored)) return null
  const now = account.seconds(stored.test_clock)
  if (wish.items) changeItems(account, stored, wish.items, wish.billing)
  const changed = subscriptionOf(account, stored.id)
  if (wish.cancelNow) return finalInvoice(account, changed, now)
  if (wish.resetAnchor) return resetAnchor(account, changed, now)
  if (wish.items && wish.billing.behavior === 'always_invoice') {
    const immediate = updateInvoice(account, changed, wish.billing.at)
    if (immediate) return immediate
  }
  return nextInvoice(account, withEnd(account, changed, wish, now))
}

function withEnd(account: Account, stored: Subscription, wish: Wish, now: number): Subscription {
  if (wish.cancelAtPeriodEnd !== undefined) {
    return account.objects.save<Subscription>({
      ...stored,
      ...cancelFields(stored, itemsOf(account, stored.id), wish.cancelAtPeriodEnd, now),
    })
  }
  if (wish.cancelAt !== undefined) return account.objects.save<Subscription>({ ...stored, cancel_at: wish.cancelAt })
  return stored
}

function nextOf(account: Account, customer: Customer): Subscription | null {
  const live = account.objects
    .all<Subscription>('subscription', { '$.customer': customer.id })
    .filter((stored) => !isOver(stored))
  const endOf = (stored: Subscription) =>
    Math.min(...itemsOf(account, stored.id).map((item) => item.current_period_end))
  return live.toSorted((a, b) => endOf(a) - endOf(b))[0] ?? null
}

function tryNew(account: Account, wish: Wish, items: ItemChange[]): Invoice | null {
  const made = createSubscription(account, {
    customer: wish.customer,
    items: items.map(({ price, quantity }, index) => {
      if (price !== undefined) return { price, quantity }
      throw refuse(`Missing required param: subscription_details[items][${index}][price].`, {
        code: 'parameter_missing',
        param: `subscription_details[items][${index}][price]`,
      })
    }),
    paymentBehavior: 'default_incomplete',
    fields: {},
  })
  const first = made.latest_invoice === null ? null : account.get<Invoice>('invoice', made.latest_invoice)
  return first ?? nextInvoice(account, made)
}

function nothingToBill(customer: Customer): ApiError {
  return new ApiError(404, {
    type: 'invalid_request_error',
    code: 'invoice_upcoming_none',
    message: `No upcoming invoices for customer: ${customer.id}`,
  })
}
