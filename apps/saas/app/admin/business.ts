import type { InvoiceRow, Subscription, UpcomingCharges } from 'meterkit'
import { aiCostByDay } from 'meterkit/ai'
import type { Services } from 'saas/server/services'

/** Looked at one by one, so there is a limit; the page says when it was reached. */
const CUSTOMERS_MAX = 100
const AT_ONCE = 4
const DAYS = 14
const DAY_MS = 24 * 60 * 60_000
/** The page asks every few seconds, and these figures move slowly. */
const FRESH_MS = 15_000

export interface BusinessDay {
  /** UTC, `2026-11-24`. */
  date: string
  /** Minor units: what the day added to the running periods. */
  revenue: bigint
  /** USD, a plain decimal: what providers charge. */
  aiCost: string
}

export interface Business {
  currency: string
  customers: number
  /** Only so many customers were looked at. */
  isPartial: boolean
  live: number
  /** Of the running periods, minor units. */
  upcoming: bigint
  days: BusinessDay[]
  invoices: { draft: number; open: number; paid: number }
  held: { stripeId: string; customerName: string; reason: string }[]
  problems: { customerName: string; problem: string }[]
}

const known = new WeakMap<Services, { at: number; figures: Promise<Business> }>()

/** Revenue, invoices and AI cost over the customers; at most 15 seconds old. */
export function businessOf(services: Services): Promise<Business> {
  const last = known.get(services)
  if (last && performance.now() - last.at < FRESH_MS) return last.figures
  const figures = readBusiness(services)
  known.set(services, { at: performance.now(), figures })
  figures.catch(() => known.delete(services))
  return figures
}

interface Account {
  name: string
  subscription: Subscription | null
  upcoming: UpcomingCharges | null
  invoices: InvoiceRow[]
}

async function readBusiness(services: Services): Promise<Business> {
  const { meterkit, pool, clock } = services
  const page = await meterkit.customers.list({ limit: CUSTOMERS_MAX })
  const accounts = await inTurns(
    page.rows,
    async ({ id, name, subscription }): Promise<Account> => ({
      name,
      subscription,
      upcoming: subscription ? await meterkit.invoices.upcoming(subscription.id) : null,
      invoices: await meterkit.invoices.list(id),
    }),
  )
  const charges = accounts.flatMap(({ upcoming }) => upcoming ?? [])
  const currency = charges[0]?.currency ?? 'usd'
  const ours = charges.filter((one) => one.currency === currency)
  const today = Math.floor(clock().getTime() / DAY_MS) * DAY_MS
  const start = new Date(today - (DAYS - 1) * DAY_MS)
  const costs = await aiCostByDay(pool, { start, end: new Date(today + DAY_MS) })
  const invoices = accounts.flatMap((account) => account.invoices)
  const withStatus = (status: string) => invoices.filter((invoice) => invoice.status === status).length
  return {
    currency,
    customers: accounts.length,
    isPartial: page.next !== null,
    live: charges.length,
    upcoming: ours.reduce((total, { amount }) => total + amount, 0n),
    days: daysFrom(start, revenueByDay(ours), new Map(costs.map(({ date, providerCost }) => [date, providerCost]))),
    invoices: { draft: withStatus('draft'), open: withStatus('open'), paid: withStatus('paid') },
    held: accounts.flatMap(({ name, invoices: own }) =>
      own.flatMap(({ stripeId, heldReason }) =>
        heldReason ? [{ stripeId, customerName: name, reason: heldReason }] : [],
      ),
    ),
    problems: accounts.flatMap(({ name, subscription }) =>
      subscription?.problem ? [{ customerName: name, problem: subscription.problem }] : [],
    ),
  }
}

/** What each day added; `amountSoFar` counts on from day to day within a period. */
function revenueByDay(charges: UpcomingCharges[]): Map<string, bigint> {
  const revenue = new Map<string, bigint>()
  for (const { days } of charges) {
    let before = 0n
    for (const { date, amountSoFar } of days) {
      revenue.set(date, (revenue.get(date) ?? 0n) + amountSoFar - before)
      before = amountSoFar
    }
  }
  return revenue
}

function daysFrom(start: Date, revenue: Map<string, bigint>, costs: Map<string, string>): BusinessDay[] {
  return Array.from({ length: DAYS }, (_, index) => {
    const date = new Date(start.getTime() + index * DAY_MS).toISOString().slice(0, 10)
    return { date, revenue: revenue.get(date) ?? 0n, aiCost: costs.get(date) ?? '0' }
  })
}

async function inTurns<Item, Result>(items: Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let index = 0; index < items.length; index += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(index, index + AT_ONCE).map(work))))
  }
  return results
}
