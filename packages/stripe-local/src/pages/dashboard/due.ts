import { html } from 'hono/html'
import type { DueKind } from '../../timeline.ts'
import type { ApiObject, DueThing, PagesContext } from '../context.ts'
import { type Html, shortId } from '../layout.ts'
import { instant, list, reference, text } from '../wire.ts'
import { customerLink, planOf } from './rows.ts'

export interface PeriodEnd {
  subscription: string
  plan: string
  /** Their name, else their address, else their id. */
  customer: string
  customerId: string
  end: Date
}

/**
 * When the current periods of live subscriptions end, of those that have anything due next, soonest first. Test clocks
 * keep their own time.
 */
export async function periodEnds(context: PagesContext, limit: number): Promise<PeriodEnd[]> {
  const due = context.dashboard.upcoming(limit, 'subscription')
  const found = await Promise.all(due.map(({ id }) => periodEnd(context, id)))
  return found.filter((one) => one !== null).sort((one, other) => one.end.getTime() - other.end.getTime())
}

async function periodEnd(context: PagesContext, id: string): Promise<PeriodEnd | null> {
  const subscription = await context.api('GET', `/v1/subscriptions/${id}`).catch((): ApiObject => ({}))
  const ends = list(subscription, 'items').map((item) => instant(item, 'current_period_end')?.getTime() ?? 0)
  const end = Math.min(...ends.filter((at) => at > context.now().getTime()))
  const customerId = reference(subscription, 'customer')
  if (!Number.isFinite(end) || !customerId) return null
  return {
    subscription: id,
    plan: await planOf(context, subscription),
    customer: await customerName(context, customerId),
    customerId,
    end: new Date(end),
  }
}

async function customerName(context: PagesContext, id: string): Promise<string> {
  const customer = await context.api('GET', `/v1/customers/${id}`)
  return text(customer, 'name') ?? text(customer, 'email') ?? id
}

const KINDS: { [kind in DueKind]: string } = {
  authorization: 'A held payment lapses',
  checkout: 'A Checkout session expires',
  credit_grant: 'A credit grant begins or ends',
  delivery: 'A webhook is tried again',
  invoice: 'An invoice is finalized or charged',
  schedule: 'A schedule enters its next phase',
  subscription: 'A subscription moves on',
  test_clock: 'A test clock is deleted',
}
const PAGES: { [kind in DueKind]?: string } = {
  authorization: '/dashboard/payments',
  invoice: '/dashboard/invoices',
  subscription: '/dashboard/subscriptions',
}

/** What will happen, in words, with a link where the dashboard has its page. */
export function dueInWords({ kind, id }: DueThing): Html {
  const href = kind === 'delivery' ? `/dashboard/deliveries#${id}` : PAGES[kind] && `${PAGES[kind]}/${id}`
  return html`${KINDS[kind]} ${href ? html`<a class="id" href="${href}">${shortId(id)}</a>` : html`<span class="id muted">${shortId(id)}</span>`}`
}

export function periodCustomer({ customerId, customer }: PeriodEnd): Html {
  return customerLink(customerId, customer)
}
