import type { Pool } from 'pg'
import type { Stripe } from 'stripe'
import type { StripeLocal } from 'stripe-local'
import type { Use } from './app-process.ts'
import type { Ledger } from './ledger.ts'
import type { Payer, Stage } from './stage.ts'

/*
 * The witness. It reads raw rows, and what the local Stripe has received and invoiced, and adds up by itself: nothing of
 * the engine's SQL, of its prices or of its decimals is used here. Quantities are whole 10⁻¹² of a unit.
 */

export interface Verdict {
  /** Where two ledgers do not agree. Empty: all is well. */
  findings: string[]
  /** Offered to the engine, and found in its table. */
  offered: number
  stored: number
  /** Promised, and not in the table. */
  lost: number
  /** More than once in the table. */
  doubled: number
  /** Of a subscription that has ended: too late for any invoice, and said so. */
  unbillable: number
}

interface EventRow {
  id: string
  subscription: string
  quantity: string
  at: Date
  key: string | null
  ref: string | null
  void: boolean
}
interface RollupRow {
  subscription: string
  since: Date
  quantity: string
  events: string
  reported: string
}
interface ReportRow {
  id: string
  subscription: string
  since: Date
  value: string
  identifier: string
  reported_for: Date
  late: boolean
  status: string
  error: string | null
  /** A credit: where what it gives back was priced, and how many cents it gives, negative. */
  priced_in: Date | null
  amount: string | null
  /** Stripe counts it and bills it never; its usage was reported anew. */
  unbilled: boolean
}

const HOUR_MS = 3_600_000
/** What no invoice can carry says so, and what to do. */
const UNBILLABLE = ['This usage cannot be billed by a meter any more', 'A credit of ']

/** Nothing may be on its way, and all periods with usage must be over and invoiced. */
export async function verdictOf(
  { pool, stripe, stripeLocal, durable }: Pick<Stage, 'pool' | 'stripe' | 'stripeLocal' | 'durable'>,
  payers: readonly Payer[],
  ledger: Ledger,
): Promise<Verdict> {
  const findings: string[] = []
  const events = await allRows<EventRow>(
    pool,
    `select id, subscription_id as subscription, quantity::text, occurred_at as at, key, properties ->> 'ref' as ref,
      exists (select from billing.event_voids v where v.id = e.id) as void from billing.meter_events e`,
  )
  const rollups = await allRows<RollupRow>(
    pool,
    'select subscription_id as subscription, since, quantity::text, events::text, reported::text from billing.rollups',
  )
  const reports = await allRows<ReportRow>(
    pool,
    `select id, subscription_id as subscription, since, value::text, identifier, reported_for, late, status, error,
      priced_in, amount::text, unbilled
    from billing.reports`,
  )
  const segments = await allRows<{ subscription: string; at: Date }>(
    pool,
    'select subscription_id as subscription, starts_at as at from billing.segments order by starts_at',
  )
  const { lost, doubled } = await compareTold(findings, { pool, events, durable, ledger })
  const theirs = new Map(stripeLocal.receivedMeterEvents().map((event) => [event.identifier, event]))
  if (theirs.size !== stripeLocal.receivedMeterEvents().length) findings.push('Stripe took an identifier twice')

  let unbillable = 0
  for (const payer of payers) {
    const of = <Row extends { subscription: string }>(rows: readonly Row[]) =>
      rows.filter((row) => row.subscription === payer.subscriptionId)
    const said: string[] = []
    const starts = of(segments).map((row) => row.at.getTime())
    compareRollups(said, of(events), of(rollups), starts)
    compareReports(said, of(rollups), of(reports), theirs)
    const shown = await compareInvoices(said, {
      stripe,
      stripeLocal,
      payer,
      events: of(events),
      rollups: of(rollups),
      reports: of(reports),
    })
    await compareStoredInvoices(said, { pool, stripe, payer })
    unbillable += shown
    findings.push(...said.map((line) => `${payer.name}: ${line}`))
  }
  return { findings, offered: ledger.uses.size, stored: events.length, lost, doubled, unbillable }
}

/** How many events were promised, by id, and are not in the table, and how many rows the table has. */
export async function missingFrom(pool: Pool, promised: Iterable<string>): Promise<{ stored: number; lost: string[] }> {
  const rows = await allRows<{ id: string }>(pool, 'select id from billing.meter_events')
  const stored = new Set(rows.map((row) => row.id))
  return { stored: rows.length, lost: [...promised].filter((id) => !stored.has(id)) }
}

/** What callers were told against the table. */
async function compareTold(
  findings: string[],
  { pool, events, durable, ledger }: { pool: Pool; events: EventRow[]; durable: Set<string>; ledger: Ledger },
): Promise<{ lost: number; doubled: number }> {
  const aside = await allRows<{ event: string; error: string }>(
    pool,
    'select event, error from billing.set_aside_events',
  )
  const asideByRef = new Map(
    aside.map(({ event, error }) => [(JSON.parse(event) as { properties: { ref: string } }).properties.ref, error]),
  )
  const byRef = Map.groupBy(events, (event) => event.ref ?? '')
  const byKey = Map.groupBy(
    events.filter((event) => event.key !== null),
    (event) => event.key!,
  )
  let lost = 0
  let doubled = 0
  for (const [ref, rows] of byRef) {
    const use = ledger.uses.get(ref)
    if (!use) {
      findings.push(`an event nobody recorded: ${rows[0]!.id}`)
      continue
    }
    if (rows.length > 1) {
      doubled += 1
      findings.push(`doubled: ${ref} is ${rows.length} times in the table`)
    }
    if (!sameContent(use, rows[0]!)) findings.push(`changed: ${ref} was ${told(use)} and is ${told(fromRow(rows[0]!))}`)
    if (!ledger.taken.has(ref)) findings.push(`${ref} was refused and is stored`)
    if (ledger.rolledBack.has(ref)) findings.push(`${ref} was rolled back by its caller and is stored`)
    if (use.poisoned) findings.push(`${ref} is poisoned and is stored`)
  }
  for (const [key, rows] of byKey) {
    if (rows.length > 1) {
      doubled += 1
      findings.push(`doubled: the key ${key} is ${rows.length} times in the table`)
    }
  }
  for (const ref of [...durable, ...ledger.committed]) {
    const use = ledger.uses.get(ref)!
    if (byRef.has(ref)) continue
    const error = asideByRef.get(ref)
    if (use.poisoned && error) continue
    // another content under a key that is taken: not counted, and shown
    if (use.key !== null && byKey.has(use.key) && error?.startsWith('event_conflict')) continue
    lost += 1
    findings.push(`lost: ${ref} (${told(use)}) was promised${error ? `, and is set aside: ${error}` : ''}`)
  }
  for (const [ref, error] of asideByRef) {
    const use = ledger.uses.get(ref)
    if (use && !use.poisoned && use.key === null) findings.push(`${ref} is set aside for nothing: ${error}`)
  }
  for (const event of events) {
    if (event.void && !ledger.voidsAsked.has(event.id)) findings.push(`${event.id} is void and nobody voided it`)
    if (!event.void && ledger.voidsDone.has(event.id)) findings.push(`${event.id} was voided and is not void`)
  }
  return { lost, doubled }
}

/** Each hour, cut where a segment starts, is the sum and the number of its events. */
function compareRollups(
  said: string[],
  events: readonly EventRow[],
  rollups: readonly RollupRow[],
  starts: number[],
): void {
  const expected = new Map<number, { quantity: bigint; events: bigint }>()
  for (const event of events) {
    if (event.void) continue
    const since = cellOf(event.at.getTime(), starts)
    const cell = expected.get(since) ?? { quantity: 0n, events: 0n }
    expected.set(since, { quantity: cell.quantity + exact(event.quantity), events: cell.events + 1n })
  }
  const actual = new Map(rollups.map((row) => [row.since.getTime(), row]))
  for (const since of new Set([...expected.keys(), ...actual.keys()])) {
    const wanted = expected.get(since) ?? { quantity: 0n, events: 0n }
    const row = actual.get(since)
    const has = row ? `${shown(exact(row.quantity))} in ${row.events}` : '0 in 0'
    const wants = `${shown(wanted.quantity)} in ${wanted.events}`
    if (has !== wants) said.push(`rollup of ${iso(since)}: events make ${wants}, it says ${has}`)
  }
}

/** The start of the hour, or of the segment in it that an instant belongs to. */
function cellOf(at: number, starts: readonly number[]): number {
  const hour = Math.floor(at / HOUR_MS) * HOUR_MS
  return Math.max(hour, ...starts.filter((start) => start <= at))
}

/** What was noted as reported against the reports, and those against what Stripe received. */
function compareReports(
  said: string[],
  rollups: readonly RollupRow[],
  reports: readonly ReportRow[],
  theirs: Map<string, { value: string; timestamp: number }>,
): void {
  const written = reports.filter((report) => report.status !== 'cleared')
  const bySince = Map.groupBy(written, (report) => report.since.getTime())
  for (const { since, reported } of rollups) {
    const sum = (bySince.get(since.getTime()) ?? []).reduce((total, report) => total + exact(report.value), 0n)
    if (sum !== exact(reported))
      said.push(`rollup of ${iso(since)}: its reports make ${shown(sum)}, it says ${reported} is reported`)
  }
  for (const report of reports) {
    const there = theirs.get(report.identifier)
    if (report.status === 'accepted' && !there && !isCredit(report))
      said.push(`${report.identifier} is accepted, and Stripe never took it`)
    if (there && exact(there.value) !== exact(report.value))
      said.push(`${report.identifier} is ${report.value} here and ${there.value} at Stripe`)
    if (there && there.timestamp * 1000 !== Math.floor(report.reported_for.getTime() / 1000) * 1000)
      said.push(
        `${report.identifier} is of ${iso(report.reported_for)} here and of ${iso(there.timestamp * 1000)} there`,
      )
    if (report.status === 'pending') said.push(`${report.identifier} is pending for ever: ${report.error}`)
    if (report.status === 'unsure' && !there) said.push(`${report.identifier} is unsure, and Stripe never took it`)
    if (report.status === 'failed' && !UNBILLABLE.some((sentence) => report.error?.startsWith(sentence)))
      said.push(`${report.identifier} stays refused: ${report.error}`)
  }
}

function isCredit(report: ReportRow): boolean {
  return report.priced_in !== null
}

/** Each event on exactly one invoice, at the price of its plan. @returns how many reports no invoice could carry */
async function compareInvoices(
  said: string[],
  {
    stripe,
    stripeLocal,
    payer,
    events,
    rollups,
    reports,
  }: {
    stripe: Stripe
    stripeLocal: StripeLocal
    payer: Payer
    events: EventRow[]
    rollups: RollupRow[]
    reports: ReportRow[]
  },
): Promise<number> {
  const subscription = await stripe.subscriptions.retrieve(payer.stripeSubscription)
  const startedAt = subscription.start_date * 1000
  const endedAt = subscription.ended_at === null ? Number.POSITIVE_INFINITY : subscription.ended_at * 1000
  const billable = events
    .filter((event) => !event.void && event.at.getTime() >= startedAt && event.at.getTime() < endedAt)
    .reduce((sum, event) => sum + exact(event.quantity), 0n)
  const refused = reports.filter((report) => report.status === 'failed')
  const unbillable = refused.reduce((sum, report) => sum + exact(report.value), 0n)
  if (refused.length > 0 && subscription.ended_at === null)
    said.push(`${refused.length} reports are refused, although its subscription goes on`)

  // Of a clock that was ahead: reported, and then the subscription ended before its time had come. Free, here and there.
  const free = reports.filter((report) => report.status === 'accepted' && report.since.getTime() >= endedAt)
  const freeQuantity = free.reduce((sum, report) => sum + exact(report.value), 0n)
  const unbilled = reports.filter((report) => report.unbilled)
  const neverBilled = unbilled.reduce((sum, report) => sum + exact(report.value), 0n)
  const counted = exact(stripeLocal.usage(payer.stripeCustomer, 'ai_tokens')) - freeQuantity - neverBilled
  const credits = reports.filter((report) => report.status === 'accepted' && isCredit(report))
  const credited = credits.reduce((sum, report) => sum + exact(report.value), 0n)
  if (billable - unbillable !== counted + credited) {
    const less = unbillable === 0n ? '' : ` less ${shown(unbillable)} that no invoice can carry`
    const given = credited === 0n ? '' : `, and ${shown(credited)} is given back in money`
    said.push(`events make ${shown(billable)}${less}, Stripe has counted ${shown(counted)}${given}`)
  }
  const all = await invoiceLines(stripe, payer)
  const lines = all.filter((line) => line.credit === null)
  compareCredits(said, credits, all)
  const invoiced = lines.reduce((sum, line) => sum + line.quantity, 0n)
  if (invoiced !== counted) said.push(`Stripe has counted ${shown(counted)} and invoiced ${shown(invoiced)}`)
  for (const line of lines) compareLine(said, line, { stripeLocal, payer, credits, unbilled })
  comparePlaces(said, {
    events,
    rollups,
    reports: reports.filter((report) => !free.includes(report) && !isCredit(report)),
    lines,
  })
  return refused.length
}

interface Line {
  invoice: string
  start: number
  end: number
  quantity: bigint
  cents: bigint
  plan: string
  /** The identifier of the report it gives back. */
  credit: string | null
}

/** In order of time. */
async function invoiceLines(stripe: Stripe, payer: Payer): Promise<Line[]> {
  const plans = new Map<string, string>()
  for await (const { id, lookup_key } of stripe.prices.list({ limit: 100 })) {
    plans.set(id, String(lookup_key).split('_')[0]!)
  }
  const lines: Line[] = []
  for await (const invoice of stripe.invoices.list({ customer: payer.stripeCustomer, limit: 100 })) {
    if (invoice.status === 'draft') continue
    for await (const line of stripe.invoices.listLineItems(invoice.id!, { limit: 100 })) {
      lines.push({
        invoice: invoice.id!,
        start: line.period.start * 1000,
        end: line.period.end * 1000,
        quantity: exact(String(line.quantity_decimal ?? 0)),
        cents: BigInt(line.amount),
        plan: plans.get(String(line.pricing?.price_details?.price)) ?? 'unknown',
        credit: line.metadata.meterkit_report ?? null,
      })
    }
  }
  return lines.sort((a, b) => a.start - b.start || a.end - b.end)
}

/** Cents, and how many tokens they buy; what is begun is paid whole. */
const PACKAGES: Record<string, { cents: bigint; tokens: bigint }> = {
  essential: { cents: 5n, tokens: 1_000n },
  business: { cents: 50n, tokens: 15_000n },
  enterprise: { cents: 500n, tokens: 200_000n },
}

/** Each credit is on one invoice with its amount, and there are no others. */
function compareCredits(said: string[], credits: readonly ReportRow[], lines: readonly Line[]): void {
  const given = (shown: string[]) => shown.sort().join()
  const ours = credits
    .filter((report) => report.amount !== '0')
    .map((report) => `${report.identifier} ${report.amount}`)
  const theirs = lines.flatMap((line) => (line.credit === null ? [] : [`${line.credit} ${line.cents}`]))
  if (given(ours) !== given(theirs)) said.push(`credits are ${given(ours)} here and ${given(theirs)} at Stripe`)
  for (const { identifier, priced_in } of credits) {
    const at = priced_in!.getTime()
    if (!lines.some((line) => line.credit === null && line.start <= at && at < line.end))
      said.push(`${identifier} gives back what was priced from ${iso(at)}, and no invoice has that`)
  }
}

function compareLine(
  said: string[],
  line: Line,
  {
    stripeLocal,
    payer,
    credits,
    unbilled,
  }: { stripeLocal: StripeLocal; payer: Payer; credits: readonly ReportRow[]; unbilled: readonly ReportRow[] },
): void {
  const name = `${line.plan} from ${iso(line.start)} to ${iso(line.end)} on ${line.invoice}`
  const range = { start: new Date(line.start), end: new Date(line.end) }
  const tooLate = unbilled.filter(({ reported_for }) => reported_for >= range.start && reported_for < range.end)
  const counted = tooLate.reduce(
    (sum, report) => sum - exact(report.value),
    exact(stripeLocal.usage(payer.stripeCustomer, 'ai_tokens', range)),
  )
  const billed = counted < 0n ? 0n : counted
  if (billed !== line.quantity)
    said.push(`${name}: ${shown(counted)} was accepted for it, ${shown(line.quantity)} is on it`)
  const price = PACKAGES[line.plan]
  if (!price) return void said.push(`${name}: a price nobody knows`)
  const due = centsFor(price, line.quantity)
  if (due !== line.cents) said.push(`${name}: ${shown(line.quantity)} are ${due} cents, it says ${line.cents}`)
  const given = credits
    .filter(({ priced_in }) => line.start <= priced_in!.getTime() && priced_in!.getTime() < line.end)
    .filter(({ value }) => value.startsWith('-')) // else: what Stripe had taken back there for nothing
  const rest = given.reduce((sum, report) => sum + exact(report.value), line.quantity)
  const paid = given.reduce((sum, report) => sum + BigInt(report.amount!), line.cents)
  if (centsFor(price, rest) !== paid)
    said.push(`${name}: what is left, ${shown(rest)}, is ${centsFor(price, rest)} cents, and ${paid} is paid for it`)
}

function centsFor({ cents, tokens }: { cents: bigint; tokens: bigint }, quantity: bigint): bigint {
  const whole = tokens * ONE
  return ((quantity + whole - 1n) / whole) * cents
}

/** No instant is billed twice, and what is not late lies on the invoice of its own time. */
function comparePlaces(
  said: string[],
  {
    events,
    rollups,
    reports,
    lines,
  }: { events: EventRow[]; rollups: RollupRow[]; reports: ReportRow[]; lines: readonly Line[] },
): void {
  for (const [index, line] of lines.entries()) {
    const before = lines[index - 1]
    if (before && before.end > line.start && before.start < line.start)
      said.push(`${iso(line.start)} is on ${before.invoice} and on ${line.invoice}`)
  }
  const lineAt = (at: number) => lines.find((line) => line.start <= at && at < line.end)
  const starts = rollups.map((rollup) => rollup.since.getTime()).sort((a, b) => a - b)
  for (const report of reports) {
    if (report.status !== 'accepted') continue
    const line = lineAt(report.reported_for.getTime())
    if (!line) {
      said.push(`${report.identifier} of ${iso(report.reported_for)} is on no invoice`)
      continue
    }
    if (report.late) continue
    const since = report.since.getTime()
    const next = starts.find((start) => start > since) ?? Number.POSITIVE_INFINITY
    const end = Math.min(next, Math.floor(since / HOUR_MS) * HOUR_MS + HOUR_MS)
    const astray = events.find(({ at, ...event }) => {
      const time = at.getTime()
      return !event.void && time >= since && time < end && (time < line.start || time >= line.end)
    })
    if (astray) said.push(`${astray.id} of ${iso(astray.at)} is billed from ${iso(line.start)} to ${iso(line.end)}`)
  }
}

async function compareStoredInvoices(
  said: string[],
  { pool, stripe, payer }: { pool: Pool; stripe: Stripe; payer: Payer },
): Promise<void> {
  const ours = await allRows<{ shown: string }>(
    pool,
    `select stripe_id || ' ' || status || ' ' || total as shown from billing.invoices
    where customer_id = '${payer.customerId}'`,
  )
  const theirs: string[] = []
  for await (const { id, status, total } of stripe.invoices.list({ customer: payer.stripeCustomer, limit: 100 })) {
    theirs.push(`${id} ${status} ${total}`)
    if (status === 'draft') said.push(`${id} is a draft for ever`)
  }
  const here = ours.map((row) => row.shown).sort()
  if (here.join() !== theirs.sort().join()) said.push(`invoices are ${here.join()} here and ${theirs.join()} at Stripe`)
}

function sameContent(use: Use, row: EventRow): boolean {
  const sameTime = use.at === null || use.at === row.at.getTime()
  return sameTime && use.subscriptionId === row.subscription && exact(use.quantity) === exact(row.quantity)
}

function fromRow(row: EventRow): Pick<Use, 'quantity' | 'at' | 'key'> {
  return { quantity: row.quantity, at: row.at.getTime(), key: row.key }
}

function told({ quantity, at, key }: Pick<Use, 'quantity' | 'at' | 'key'>): string {
  return `${quantity} at ${at === null ? 'once' : iso(at)}${key === null ? '' : ` as ${key}`}`
}

const ONE = 10n ** 12n

/** A plain decimal of at most 12 places in 10⁻¹². */
function exact(decimal: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{0,12})0*)?$/.exec(decimal)
  if (!match) throw new Error(`${decimal} is no plain decimal of 12 places`)
  const magnitude = BigInt(match[2]! + (match[3] ?? '').padEnd(12, '0'))
  return match[1] === '-' ? -magnitude : magnitude
}

function shown(value: bigint): string {
  const magnitude = value < 0n ? -value : value
  const fraction = String(magnitude % ONE)
    .padStart(12, '0')
    .replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${magnitude / ONE}${fraction ? `.${fraction}` : ''}`
}

function iso(at: Date | number): string {
  return new Date(at).toISOString()
}

async function allRows<Row extends object>(pool: Pool, statement: string): Promise<Row[]> {
  return (await pool.query<Row>(statement)).rows
}
