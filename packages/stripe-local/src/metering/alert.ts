import type { Account, Wire } from '../account.ts'
import { visible } from '../account.ts'
import { formatPico, PICO, pico } from '../billing/decimal.ts'
import type { Stored } from '../objects.ts'
import type { Meter, MeterEventRow } from './usage.ts'

/** Tells once per customer when usage reported since the alert was made reaches `gte`. */
export interface Alert extends Stored {
  object: 'billing.alert'
  alert_type: 'usage_threshold'
  livemode: false
  status: 'active' | 'archived' | 'inactive'
  title: string
  usage_threshold: {
    filters: { customer: string; type: 'customer' }[] | null
    gte: number
    meter: string
    recurrence: 'one_time'
  }
  /** Usage received earlier does not count: the alert was made or activated then. */
  _since_ms: number
}

/** How far a customer is on the way to an alert. */
interface Progress extends Stored {
  object: 'billing.alert_progress'
  alert: string
  customer: string
  /** In units of 10^-12. */
  total: string
  isTriggered: boolean
}

/** An alert has no `created` on the wire. */
export function presentAlert(_account: Account, stored: Alert): Wire {
  const { created: _kept, ...shown } = visible(stored)
  return shown
}

/** Takes newly counted events into the alerts on their meters; `sign` -1 takes cancelled ones out again. */
export function advanceAlerts(account: Account, events: MeterEventRow[], sign: 1n | -1n): void {
  if (events.length === 0) return
  const alerts = account.objects.all<Alert>('billing.alert', { '$.status': 'active' })
  if (alerts.length === 0) return
  for (const [meterId, ofMeter] of Map.groupBy(events, ({ meter }) => meter)) {
    const meter = account.get<Meter>('billing.meter', meterId!)
    for (const alert of alerts.filter(({ usage_threshold: { meter: watched } }) => watched === meterId)) {
      for (const [customer, theirs] of Map.groupBy(ofMeter, (event) => event.customer!)) {
        if (isWatched(account, alert, customer)) advance(account, alert, meter, customer, theirs, sign)
      }
    }
  }
}

/** Starts afresh for every customer. */
export function forgetProgress(account: Account, alert: Alert): void {
  for (const progress of account.objects.all<Progress>('billing.alert_progress', { '$.alert': alert.id }))
    account.objects.remove(progress.id)
}

/** Alerts do not work with test clocks (docs: usage-based/alerts, "Limitations"). */
function isWatched(account: Account, { usage_threshold: { filters } }: Alert, customer: string): boolean {
  if (filters?.some((filter) => filter.customer !== customer)) return false
  const found = account.objects.find('customer', customer) as { test_clock?: string | null } | undefined
  return found?.test_clock == null
}

function advance(
  account: Account,
  alert: Alert,
  meter: Meter,
  customer: string,
  events: MeterEventRow[],
  sign: 1n | -1n,
): void {
  const fresh = events.filter((event) => event.received_ms >= alert._since_ms)
  const before = progressOf(account, alert, customer)
  if (fresh.length === 0 || before.isTriggered) return
  const total = totalAfter(BigInt(before.total), meter, fresh, sign)
  const isTriggered = total >= BigInt(alert.usage_threshold.gte) * PICO
  account.objects.save<Progress>({ ...before, total: String(total), isTriggered })
  if (!isTriggered) return
  account.events.emit('billing.alert.triggered', {
    object: 'billing.alert_triggered',
    alert: presentAlert(account, alert),
    created: account.seconds(),
    customer,
    livemode: false,
    value: Number(formatPico(total)),
  })
}

function totalAfter(before: bigint, meter: Meter, events: MeterEventRow[], sign: 1n | -1n): bigint {
  const { formula } = meter.default_aggregation
  if (formula === 'count') return before + sign * BigInt(events.length) * PICO
  if (formula === 'sum') return events.reduce((sum, { value }) => sum + sign * pico(value), before)
  const latest = events.toSorted((a, b) => a.timestamp - b.timestamp || a.seq - b.seq).at(-1)!
  return sign === 1n ? pico(latest.value) : before
}

function progressOf(account: Account, alert: Alert, customer: string): Progress {
  const id = `${alert.id}:${customer}`
  const found = account.objects.find<Progress>('billing.alert_progress', id)
  if (found) return found
  return account.objects.insert<Progress>({
    id,
    object: 'billing.alert_progress',
    created: account.seconds(),
    alert: alert.id,
    customer,
    total: '0',
    isTriggered: false,
  })
}
