import type { Account, Kind, Wire } from '../account.ts'
import { formatPico } from '../billing/decimal.ts'
import { refuse } from '../http/errors.ts'
import { oneOf, required, shape, text, timestamp } from '../http/params.ts'
import { listPage, listSlice, paging, route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Meter, Span } from '../metering/usage.ts'
import type { Customer } from './customers.ts'

export const meter: Kind = { type: 'billing.meter', noun: 'meter' }

export const meterRoutes = [
  route(
    'POST',
    '/v1/billing/meters',
    {
      customer_mapping: shape({ event_payload_key: required(text({ max: 100 })), type: required(oneOf('by_id')) }),
      default_aggregation: required(shape({ formula: required(oneOf('count', 'last', 'sum')) })),
      display_name: required(text({ max: 250 })),
      event_name: required(text({ max: 100 })),
      event_time_window: oneOf('day', 'hour'),
      value_settings: shape({ event_payload_key: required(text({ max: 100 })) }),
    },
    (account, params) => {
      checkFree(account, params.event_name)
      const created = account.seconds()
      const made = account.create<Meter>(
        {
          id: newId(account.livemode ? 'mtr_61' : 'mtr_test_61', 30).replace('61_', '61'),
          object: 'billing.meter',
          created,
          customer_mapping: params.customer_mapping ?? { event_payload_key: 'stripe_customer_id', type: 'by_id' },
          default_aggregation: params.default_aggregation,
          display_name: params.display_name,
          event_name: params.event_name,
          event_time_window: params.event_time_window ?? null,
          livemode: false,
          status: 'active',
          status_transitions: { deactivated_at: null },
          updated: created,
          value_settings: params.value_settings ?? { event_payload_key: 'value' },
        },
        'billing.meter.created',
      )
      return account.present(made)
    },
  ),

  route('GET', '/v1/billing/meters', { ...paging, status: oneOf('active', 'inactive') }, (account, params) =>
    listPage<Meter>(account, 'billing.meter', '/v1/billing/meters', params, { where: { '$.status': params.status } }),
  ),

  route('GET', '/v1/billing/meters/:id', {}, (account, _params, { id }) =>
    account.present(account.get<Meter>('billing.meter', id!)),
  ),

  route('POST', '/v1/billing/meters/:id', { display_name: text({ max: 250 }) }, (account, params, { id }) => {
    const before = account.get<Meter>('billing.meter', id!)
    return account.present(account.change(before, { ...params, updated: account.seconds() }, 'billing.meter.updated'))
  }),

  route('POST', '/v1/billing/meters/:id/deactivate', {}, (account, _params, { id }) => {
    const before = account.get<Meter>('billing.meter', id!)
    if (before.status === 'inactive') throw refuse(`The meter \`${before.id}\` is already inactive.`)
    const now = account.seconds()
    const changes = { status: 'inactive' as const, status_transitions: { deactivated_at: now }, updated: now }
    return account.present(account.change(before, changes, 'billing.meter.deactivated'))
  }),

  route('POST', '/v1/billing/meters/:id/reactivate', {}, (account, _params, { id }) => {
    const before = account.get<Meter>('billing.meter', id!)
    if (before.status === 'active') throw refuse(`The meter \`${before.id}\` is already active.`)
    checkFree(account, before.event_name, before.id)
    const changes = {
      status: 'active' as const,
      status_transitions: { deactivated_at: null },
      updated: account.seconds(),
    }
    return account.present(account.change(before, changes, 'billing.meter.reactivated'))
  }),

  route(
    'GET',
    '/v1/billing/meters/:id/event_summaries',
    {
      ...paging,
      customer: required(text()),
      start_time: required(timestamp()),
      end_time: required(timestamp()),
      value_grouping_window: oneOf('day', 'hour'),
    },
    (account, params, { id }) => {
      const stored = account.get<Meter>('billing.meter', id!)
      const customer = account.reference<Customer>('customer', params.customer, 'customer')
      const span = { start: params.start_time, end: params.end_time }
      checkAligned(span, params.value_grouping_window)
      const grouping = params.value_grouping_window
      const rows = windowsOf(account, stored, customer.id, span, grouping).map((window) => ({
        id: summaryId(stored, customer.id, window),
        window,
      }))
      const page = listSlice(rows, `/v1/billing/meters/${stored.id}/event_summaries`, params, 'meter event summary')
      // Only what is shown is summed.
      const shown = page.data as typeof rows
      return {
        ...page,
        data: shown.map(({ id: summary, window }) => summaryOf(account, stored, customer.id, summary, window)),
      }
    },
  ),
]

/** An event name belongs to one meter. @throws ApiError */
function checkFree(account: Account, eventName: string, except?: string): void {
  const holder = account.objects
    .all<Meter>('billing.meter', { '$.event_name': eventName })
    .filter(({ id }) => id !== except)
    .find(({ status }) => status === 'active' || account.readings.inactiveMeterEventName === 'taken')
  if (!holder) return
  throw refuse(`A meter with event name \`${eventName}\` already exists: \`${holder.id}\`.`, { param: 'event_name' })
}

function checkAligned({ start, end }: Span, window: 'day' | 'hour' | undefined): void {
  const [seconds, name] =
    window === 'day' ? [86_400, 'UTC days'] : window === 'hour' ? [3600, 'UTC hours'] : [60, 'minutes']
  for (const [value, param] of [
    [start, 'start_time'],
    [end, 'end_time'],
  ] as const) {
    if (value % seconds !== 0) throw refuse(`The \`${param}\` must align with ${name}. Received ${value}.`, { param })
  }
  if (start >= end) throw refuse('The `end_time` must be after the `start_time`.', { param: 'end_time' })
}

/** Newest first; windows without usage are left out. Without grouping there is one. */
function windowsOf(
  account: Account,
  stored: Meter,
  customer: string,
  span: Span,
  window: 'day' | 'hour' | undefined,
): Span[] {
  if (!window) {
    const isShown = account.readings.emptySummary === 'zero' || account.usage.hasAny(stored, customer, span)
    return isShown ? [span] : []
  }
  const seconds = window === 'day' ? 86_400 : 3600
  const starts = new Set(
    account.usage.hours(stored, customer, span).map((hour) => Math.floor(hour / seconds) * seconds),
  )
  return [...starts].sort((a, b) => b - a).map((start) => ({ start, end: start + seconds }))
}

/** Made of what the summary is about, so that paging finds it again. */
function summaryId(stored: Meter, customer: string, { start, end }: Span): string {
  return `mtrusg_test_${stored.id.slice(-12)}${customer.slice(-8)}${start.toString(36)}${end.toString(36)}`
}

function summaryOf(account: Account, stored: Meter, customer: string, id: string, span: Span): Wire {
  return {
    id,
    object: 'billing.meter_event_summary',
    aggregated_value: Number(formatPico(account.usage.aggregate(stored, customer, span))),
    end_time: span.end,
    livemode: false,
    meter: stored.id,
    start_time: span.start,
  }
}
