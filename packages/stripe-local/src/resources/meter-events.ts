import { randomUUID } from 'node:crypto'
import type { Account } from '../account.ts'
import { ApiError, refuse, refuseV2 } from '../http/errors.ts'
import { list, mapOfText, oneOf, required, shape, text, timestamp } from '../http/params.ts'
import { route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import { type Rejection, refusalOf, rejectionOf, writeRejection } from '../metering/rejection.ts'
import type { Meter, MeterEventRow } from '../metering/usage.ts'
import { plainNotation } from '../metering/value.ts'
import type { Customer } from './customers.ts'

const IDENTIFIER_KNOWN_MS = 24 * 60 * 60 * 1000
const SESSION_SECONDS = 15 * 60
const STREAM_TOKEN = 'mestoken_test_'
const DUPLICATE = 'duplicate_meter_event'

interface Incoming {
  event_name: string
  payload: { [key: string]: string }
  identifier?: string | undefined
  timestamp?: number | undefined
}

interface Accepted {
  created: number
  identifier: string
  timestamp: number
}

export const meterEventRoutes = [
  route(
    'POST',
    '/v1/billing/meter_events',
    {
      event_name: required(text({ max: 100 })),
      payload: required(mapOfText({ key: 100 })),
      identifier: text({ max: 100 }),
      timestamp: timestamp(),
    },
    (account, params) => {
      const { created, identifier, timestamp: at } = acceptMeterEvent(account, params, refusedInV1)
      const { event_name: eventName, payload } = params
      return {
        object: 'billing.meter_event',
        created,
        event_name: eventName,
        identifier,
        livemode: false,
        payload,
        timestamp: at,
      }
    },
  ),

  route(
    'POST',
    '/v2/billing/meter_events',
    {
      event_name: required(text({ max: 100 })),
      payload: required(mapOfText({ key: 100 })),
      identifier: text({ max: 100 }),
      timestamp: text(),
    },
    (account, params) => {
      const incoming = { ...params, timestamp: instant(params.timestamp) }
      const accepted = acceptMeterEvent(account, incoming, refusedInV2)
      return {
        object: 'v2.billing.meter_event',
        created: iso(accepted.created),
        event_name: params.event_name,
        identifier: accepted.identifier,
        livemode: false,
        payload: params.payload,
        timestamp: iso(accepted.timestamp),
      }
    },
  ),

  route(
    'POST',
    '/v1/billing/meter_event_adjustments',
    {
      event_name: required(text({ max: 100 })),
      type: required(oneOf('cancel')),
      cancel: shape({ identifier: text() }),
    },
    (account, params) => {
      const identifier = params.cancel?.identifier
      if (identifier === undefined)
        throw refuse('Missing required param: cancel[identifier].', {
          code: 'parameter_missing',
          param: 'cancel[identifier]',
        })
      cancelMeterEvent(account, params.event_name, identifier)
      return {
        object: 'billing.meter_event_adjustment',
        cancel: { identifier },
        event_name: params.event_name,
        livemode: false,
        status: 'pending',
        type: 'cancel',
      }
    },
  ),

  route(
    'POST',
    '/v2/billing/meter_event_adjustments',
    {
      event_name: required(text({ max: 100 })),
      type: required(oneOf('cancel')),
      cancel: required(shape({ identifier: required(text()) })),
    },
    (account, params) => {
      cancelMeterEvent(account, params.event_name, params.cancel.identifier)
      return {
        id: newId('mtr_event_adj_test'),
        object: 'v2.billing.meter_event_adjustment',
        cancel: params.cancel,
        created: iso(account.seconds()),
        event_name: params.event_name,
        livemode: false,
        status: 'pending',
        type: 'cancel',
      }
    },
  ),

  route('POST', '/v2/billing/meter_event_session', {}, (account) => {
    const created = account.seconds()
    return {
      id: newId('mes_test'),
      object: 'v2.billing.meter_event_session',
      authentication_token: `${STREAM_TOKEN}${(created + SESSION_SECONDS).toString(36)}_${newId('t')}`,
      created: iso(created),
      expires_at: iso(created + SESSION_SECONDS),
      livemode: false,
    }
  }),

  // Everything of a stream is checked later. The SDK cannot read an empty answer.
  route(
    'POST',
    '/v2/billing/meter_event_stream',
    {
      events: required(
        list(
          shape({
            event_name: required(text({ max: 100 })),
            payload: required(mapOfText({ key: 100 })),
            identifier: text({ max: 100 }),
            timestamp: text(),
          }),
          { max: 100 },
        ),
      ),
    },
    (account, params) => {
      for (const event of params.events) acceptStreamed(account, { ...event, timestamp: instant(event.timestamp) })
      return {}
    },
  ),
]

/** How a version of the API says at once what is wrong with an event; null: it says so later, or never. */
type Refusing = (account: Account, event: Event, wrong: Rejection) => ApiError | null

/** What Stripe checks before it answers, in the words of v1 or v2; the rest is checked later, by the aggregation. */
function acceptMeterEvent(account: Account, incoming: Incoming, refusing: Refusing): Accepted {
  const { event, now } = eventFrom(account, incoming)
  const wrong = isKnown(account, event)
    ? { code: DUPLICATE, message: `An event already exists with identifier ${event.identifier}.` }
    : (refusalOf(account, event, now) ?? rejectionOf(account, event))
  const refused = wrong && refusing(account, event, wrong)
  if (refused) throw refused
  accept(account, event, null)
  return { created: account.seconds(), identifier: event.identifier, timestamp: event.timestamp }
}

/** As `acceptMeterEvent`, but what is refused there is accepted here and reported later. A repeat is dropped. */
function acceptStreamed(account: Account, incoming: Incoming): void {
  const { event, now } = eventFrom(account, incoming)
  if (!isKnown(account, event)) accept(account, event, refusalOf(account, event, now))
}

type Event = Pick<
  MeterEventRow,
  'identifier' | 'event_name' | 'meter' | 'customer' | 'value' | 'timestamp' | 'received_ms'
>

/** What was sent, with the meter, the customer and the value it names; `now` is what its timestamp is measured by. */
function eventFrom(account: Account, incoming: Incoming): { event: Event; now: number } {
  const meter = meterNamed(account, incoming.event_name)
  const customer = (meter && incoming.payload[meter.customer_mapping.event_payload_key]) ?? null
  const now = timeOf(account, customer)
  const written = meter ? valueIn(meter, incoming.payload) : ''
  const event = {
    identifier: incoming.identifier ?? randomUUID(),
    event_name: incoming.event_name,
    meter: meter?.id ?? null,
    customer,
    value: account.readings.meterEventNotation === 'scientific' ? plainNotation(written) : written,
    timestamp: incoming.timestamp ?? now,
    received_ms: account.timeline.nowMs(),
  }
  return { event, now }
}

function accept(account: Account, event: Event, refusal: Rejection | null): void {
  const rejection = refusal ? writeRejection(refusal) : (account.faults.takeRejection() ?? null)
  account.usage.accept({ ...event, rejection })
  account.aggregation.plan()
}

function isKnown(account: Account, event: Event): boolean {
  const scope = account.readings.meterEventIdentifierScope
  const known = account.usage.byIdentifier(event.identifier, {
    ...(scope !== 'account' && event.meter !== null && { meter: event.meter }),
    ...(scope === 'customer' && event.customer !== null && { customer: event.customer }),
  })
  return known !== undefined && known.received_ms > event.received_ms - IDENTIFIER_KNOWN_MS
}

/** v1 says at once what it knows without looking at customer and value; their faults turn up in a report. */
function refusedInV1(account: Account, event: Event, { code, message }: Rejection): ApiError | null {
  switch (code) {
    case DUPLICATE:
      return refuse(message)
    case 'no_meter':
    case 'archived_meter':
      if (account.readings.unknownEventName === 'reported') return null
      return refuse(`No active meter found for event name "${event.event_name}".`, {
        code: 'resource_missing',
        param: 'event_name',
      })
    case 'meter_event_value_too_many_digits':
      return refuse(message, { code, param: 'payload' })
    case 'timestamp_in_future':
    case 'timestamp_too_far_in_past':
      return refuse(message, { param: 'timestamp' })
    default:
      return null
  }
}

/** v2 validates the payload at once (docs: api/v2/billing/meter-events/create, "Error Codes"), but not the customer. */
function refusedInV2(_account: Account, event: Event, { code, message }: Rejection): ApiError | null {
  switch (code) {
    case DUPLICATE:
      return refuseV2(code, message)
    case 'no_meter':
      return refuseV2(code, 'A meter must exist to submit events.')
    case 'archived_meter':
      return refuseV2(code, 'The meter must be Active to submit events.')
    case 'meter_event_no_customer_defined':
      return refuseV2('payload_no_customer_defined', 'The payload must have a reference to the customer.')
    case 'meter_event_invalid_value':
      return event.value === ''
        ? refuseV2('payload_no_value_defined', 'The payload must have a value.')
        : refuseV2('payload_invalid_value', message)
    case 'meter_event_customer_not_found':
      return null
    default:
      return refuseV2(code, message)
  }
}

/** The token of a meter event session stands for the key at the stream, for a quarter of an hour. */
export function isStreamToken(path: string, header: string | null, now: number): boolean {
  const token = header?.split(' ')[1] ?? ''
  if (path !== '/v2/billing/meter_event_stream' || !token.startsWith(STREAM_TOKEN)) return false
  const expires = Number.parseInt(token.slice(STREAM_TOKEN.length), 36)
  if (expires > now) return true
  throw new ApiError(
    401,
    {
      type: 'temporary_session_expired',
      code: 'billing_meter_event_session_expired',
      message: 'The temporary session token has expired.',
    },
    false,
  )
}

/** The active meter of that event name, or else an inactive one. */
function meterNamed(account: Account, eventName: string): Meter | undefined {
  const named = account.objects.all<Meter>('billing.meter', { '$.event_name': eventName })
  return named.find(({ status }) => status === 'active') ?? named[0]
}

/** A count needs no value: each event is one. */
function valueIn(meter: Meter, payload: Incoming['payload']): string {
  const value = payload[meter.value_settings.event_payload_key]
  return value ?? (meter.default_aggregation.formula === 'count' ? '1' : '')
}

/** What "35 days ago" and "in 5 minutes" are measured by: for a test clock's customer its frozen time. */
function timeOf(account: Account, customerId: string | null): number {
  if (account.readings.meterEventClock === 'real') return account.seconds()
  const customer = customerId === null ? undefined : account.objects.find<Customer>('customer', customerId)
  return account.seconds(customer?.test_clock ?? null)
}

function cancelMeterEvent(account: Account, eventName: string, identifier: string): void {
  const event = account.usage.byIdentifier(identifier)
  if (!event || event.event_name !== eventName || event.state === 'rejected') {
    throw refuse(`No event found with identifier ${identifier}.`, {
      code: 'resource_missing',
      param: 'cancel[identifier]',
    })
  }
  if (event.state === 'cancelled' || event.state === 'cancelling')
    throw refuse(`The event with identifier ${identifier} has already been cancelled.`)
  if (event.received_ms <= account.timeline.nowMs() - IDENTIFIER_KNOWN_MS) {
    throw refuse('You can only cancel events within 24 hours of Stripe receiving them.', {
      param: 'cancel[identifier]',
    })
  }
  account.usage.cancelLater(event)
  account.aggregation.plan()
}

function instant(written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  const ms = /^\d{4}-\d\d-\d\dT/.test(written) ? Date.parse(written) : Number.NaN
  if (Number.isNaN(ms)) throw refuseV2('invalid_fields', `Invalid timestamp: ${written} is not RFC 3339.`)
  return Math.floor(ms / 1000)
}

export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
