import type { Subscriber, World } from './world.ts'

/** What a test knows to have been recorded for a subscription. Quantities have at most two decimals. */
export interface Recorded {
  id: string
  quantity: string
  void: boolean
}

/**
 * Where the events recorded, the rollups, the reports, what Stripe has counted, upcoming charges and Stripe's preview do
 * not agree, each by numbers of its own, exact to the hundredth of a unit. Nothing may be on its way.
 */
export async function usageDisagreements(
  w: World,
  { customer, subscription }: Subscriber,
  recorded: readonly Recorded[],
): Promise<string[]> {
  const found: string[] = []
  const [sums] = await rowsOf<{
    rolled: string
    reported: string
    accepted: string
    credited: string
    unbilled: string
  }>(
    w,
    `select
      (select coalesce(sum(quantity), 0) from billing.rollups where subscription_id = $1) as rolled,
      (select coalesce(sum(reported), 0) from billing.rollups where subscription_id = $1) as reported,
      (select coalesce(sum(value), 0) from billing.reports where subscription_id = $1 and status = 'accepted') as accepted,
      (select coalesce(sum(value), 0) from billing.reports
        where subscription_id = $1 and status = 'accepted' and kind = 'credit') as credited,
      (select coalesce(sum(value), 0) from billing.reports where subscription_id = $1 and unbilled) as unbilled`,
    subscription.id,
  )
  compare(found, 'events and rollups', total(recorded), hundredths(sums!.rolled))
  compare(found, 'rollups and what they note as reported', hundredths(sums!.rolled), hundredths(sums!.reported))
  compare(found, 'noted as reported and accepted reports', hundredths(sums!.reported), hundredths(sums!.accepted))
  const counted = w.stripeLocal.usage(customer.stripeId!, 'ai_tokens')
  const sent = hundredths(sums!.accepted) - hundredths(sums!.credited) + hundredths(sums!.unbilled)
  compare(found, 'accepted reports but credits, and Stripe', sent, hundredths(counted))
  compare(found, 'events recorded and stored', told(recorded), told(await storedEvents(w, subscription.id)))
  compare(found, 'hours of events and of rollups', '', (await wrongRollups(w, subscription.id)).join())
  const upcoming = await w.meterkit.invoices.upcoming(subscription.id)
  const preview = await w.meterkit.invoices.stripePreview(subscription.id)
  compare(found, 'upcoming charges and Stripe’s preview', upcoming?.amount, preview?.amount)
  return found
}

/**
 * Where the invoices at Stripe do not agree with the events recorded, with the last upcoming charges and with the
 * invoices stored here. All periods with usage must be over, and their invoices final.
 * @param upcoming  of the period that has just ended, in cents
 */
export async function invoiceDisagreements(
  w: World,
  { customer, subscription }: Subscriber,
  recorded: readonly Recorded[],
  upcoming: bigint | undefined,
): Promise<string[]> {
  const found: string[] = []
  const { data: theirs } = await w.stripe.invoices.list({ customer: customer.stripeId!, limit: 100 })
  compare(found, 'upcoming charges and the invoice', upcoming, BigInt(theirs[0]!.total))
  let quantity = 0n
  for (const { id } of theirs) {
    for await (const line of w.stripe.invoices.listLineItems(id!, { limit: 100 })) {
      if (line.amount >= 0) quantity += hundredths(String(line.quantity_decimal ?? 0))
    }
  }
  const [given] = await rowsOf<{ credited: string }>(
    w,
    `select coalesce(sum(value), 0) as credited from billing.reports
    where subscription_id = $1 and status = 'accepted' and kind = 'credit'`,
    subscription.id,
  )
  compare(
    found,
    'events, and quantities on invoices less those given back',
    total(recorded),
    quantity + hundredths(given!.credited),
  )
  const ours = await w.meterkit.invoices.list(customer.id)
  compare(
    found,
    'invoices at Stripe and here',
    theirs.map(({ id, status, total }) => `${id} ${status} ${total}`).sort(),
    ours.map(({ stripeId, status, total }) => `${stripeId} ${status} ${total}`).sort(),
  )
  const drafts = theirs.filter((invoice) => invoice.status === 'draft').map((invoice) => invoice.id)
  compare(found, 'no draft is left', '', drafts.join())
  return found
}

function storedEvents(w: World, subscriptionId: string): Promise<Recorded[]> {
  return rowsOf<Recorded>(
    w,
    `select event.id, event.quantity, void.id is not null as void
    from billing.meter_events as event left join billing.event_voids as void using (customer_id, id)
    where event.subscription_id = $1`,
    subscriptionId,
  )
}

/** Hours, cut where segments start, whose rollup is not the sum and the number of its events. */
async function wrongRollups(w: World, subscriptionId: string): Promise<string[]> {
  const wrong = await rowsOf<{ shown: string }>(
    w,
    `with event as (
      select quantity, greatest(date_trunc('hour', occurred_at, 'UTC'), (
        select max(starts_at) from billing.segments
        where segments.subscription_id = $1 and starts_at <= occurred_at
      )) as since
      from billing.meter_events
      where subscription_id = $1 and id not in (select id from billing.event_voids)
    ),
    expected as (select since, sum(quantity) as quantity, count(*) as events from event group by since),
    rollup as (select since, quantity, events from billing.rollups where subscription_id = $1)
    select format('%s: %s in %s events, rolled up %s in %s', since, expected.quantity, expected.events,
      rollup.quantity, rollup.events) as shown
    from expected full join rollup using (since)
    where coalesce(expected.quantity, 0) <> coalesce(rollup.quantity, 0)
      or coalesce(expected.events, 0) <> coalesce(rollup.events, 0)`,
    subscriptionId,
  )
  return wrong.map((row) => row.shown)
}

async function rowsOf<Row extends object>({ pool }: World, statement: string, subscriptionId: string): Promise<Row[]> {
  return (await pool.query<Row>(statement, [subscriptionId])).rows
}

function compare(found: string[], what: string, a: unknown, b: unknown): void {
  if (String(a) !== String(b)) found.push(`${what}: ${a} ≠ ${b}`)
}

function told(events: readonly Recorded[]): string {
  return events
    .map((event) => `${event.id} ${hundredths(event.quantity)}${event.void ? ' void' : ''}`)
    .sort()
    .join()
}

function total(events: readonly Recorded[]): bigint {
  return events.reduce((sum, event) => (event.void ? sum : sum + hundredths(event.quantity)), 0n)
}

/** "12.5" is 1250. */
function hundredths(decimal: string): bigint {
  const match = /^(-?\d+)(?:\.(\d{0,2})0*)?$/.exec(decimal)
  if (!match) throw new Error(`${decimal} is not exact in hundredths`)
  return BigInt(`${match[1]}${(match[2] ?? '').padEnd(2, '0')}`)
}
