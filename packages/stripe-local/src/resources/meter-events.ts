import { randomUUID } from 'node:crypto'
import type { Account } from '../account.ts'
import { ApiError, refuse } from '../http/errors.ts'
import { list, mapOfText, oneOf, required, shape, text, timestamp } from '../http/params.ts'
import { route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Meter } from '../metering/usage.ts'
import type { Customer } from './customers.ts'

const IDENTIFIER_KNOWN_MS = 24 * 60 * 60 * 1000
const OLDEST_SECONDS = 35 * 24 * 60 * 60
const AHEAD_SECONDS = 5 * 60
const DIGITS_MAX = 15
const SESSION_SECONDS = 15 * 60
const STREAM_TOKEN = 'mestoken_test_'

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
      payload: required(mapOfText()),
      identifier: text({ max: 100 }),
      timestamp: timestamp(),
    },
    (account, params) => {
      const { created, identifier, timestamp: at } = acceptMeterEvent(account, params)
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
      payload: required(mapOfText()),
      identifier: text({ max: 100 }),
      timestamp: text(),
    },
    (account, params) => {
      const accepted = acceptMeterEvent(account, { ...params, timestamp: instant(params.timestamp) })
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
        id: newId('mtrea_test'),
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
            payload: required(mapOfText()),
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

/** What Stripe checks before it answers. Customer and value are checked later, by the aggregation. */
export function acceptMeterEvent(account: Account, incoming: Incoming): Accepted {
  const receivedMs = account.timeline.nowMs()
  const identifier = incoming.identifier ?? randomUUID()
  const known = account.usage.byIdentifier(identifier)
  if (known && known.received_ms > receivedMs - IDENTIFIER_KNOWN_MS) {
    throw refuse(`An event already exists with identifier ${identifier}.`)
  }
  const meter = activeMeter(account, incoming.event_name)
  const customerId = incoming.payload[meter.customer_mapping.event_payload_key] ?? null
  const now = clockOf(account, customerId)
  const at = incoming.timestamp ?? now
  checkWindow(at, now)
  const value = valueIn(meter, incoming.payload)
  checkDigits(value)
  account.usage.accept({
    identifier,
    event_name: incoming.event_name,
    meter: meter.id,
    customer: customerId,
    value,
    timestamp: at,
    received_ms: receivedMs,
    rejection: account.faults.takeRejection() ?? null,
  })
  account.aggregation.plan()
  return { created: account.seconds(), identifier, timestamp: at }
}

/** As `acceptMeterEvent`, but what is refused there is accepted here and reported later. A repeat is dropped. */
function acceptStreamed(account: Account, incoming: Incoming): void {
  try {
    acceptMeterEvent(account, incoming)
  } catch (error) {
    if (!(error instanceof ApiError) || error.message.startsWith('An event already exists')) return
    account.usage.accept({
      identifier: incoming.identifier ?? randomUUID(),
      event_name: incoming.event_name,
      meter: account.objects.all<Meter>('billing.meter', { '$.event_name': incoming.event_name })[0]?.id ?? null,
      customer: null,
      value: '',
      timestamp: incoming.timestamp ?? account.seconds(),
      received_ms: account.timeline.nowMs(),
      rejection: streamRejection(error),
    })
    account.aggregation.plan()
  }
}

function streamRejection({ error }: ApiError): string {
  if (error.param === 'event_name') return 'no_meter'
  if (error.code === 'meter_event_value_too_many_digits') return error.code
  return error.message.includes('future') ? 'timestamp_in_future' : 'timestamp_too_far_in_past'
}

/** The token of a meter event session stands for the key at the stream, for a quarter of an hour. */
export function isStreamToken(path: string, header: string | null, now: number): boolean {
  const token = header?.split(' ')[1] ?? ''
  if (path !== '/v2/billing/meter_event_stream' || !token.startsWith(STREAM_TOKEN)) return false
  const expires = Number.parseInt(token.slice(STREAM_TOKEN.length), 36)
  if (expires > now) return true
  throw new ApiError(401, { type: 'temporary_session_expired', message: 'The temporary session has expired.' }, false)
}

function activeMeter(account: Account, eventName: string): Meter {
  const meter = account.objects
    .all<Meter>('billing.meter', { '$.event_name': eventName })
    .find((found) => found.status === 'active')
  if (!meter)
    throw refuse(`No active meter found for event name "${eventName}".`, {
      param: 'event_name',
      code: 'resource_missing',
    })
  return meter
}

/** A count needs no value: each event is one. */
function valueIn(meter: Meter, payload: Incoming['payload']): string {
  const value = payload[meter.value_settings.event_payload_key]
  return value ?? (meter.default_aggregation.formula === 'count' ? '1' : '')
}

/** The window of a test clock's customer is relative to the clock's frozen time. */
function clockOf(account: Account, customerId: string | null): number {
  const customer = customerId === null ? undefined : account.objects.find<Customer>('customer', customerId)
  return account.seconds(customer?.test_clock ?? null)
}

function checkWindow(at: number, now: number): void {
  const oldest = now - OLDEST_SECONDS
  if (at < oldest) {
    throw refuse(
      `The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to ${oldest}.`,
      { param: 'timestamp' },
    )
  }
  const latest = now + AHEAD_SECONDS
  if (at > latest) {
    throw refuse(
      `The event timestamp cannot be more than 5 minutes in the future. Expected a timestamp less than or equal to ${latest}.`,
      { param: 'timestamp' },
    )
  }
}

function checkDigits(value: string): void {
  const digits = value.replace(/^-/, '').replace('.', '').replace(/^0+/, '')
  if (!/^\d*$/.test(digits) || digits.length <= DIGITS_MAX) return
  throw refuse(`The value in the event payload can have at most ${DIGITS_MAX} digits. Received \`${value}\`.`, {
    code: 'meter_event_value_too_many_digits',
    param: 'payload',
  })
}

function cancelMeterEvent(account: Account, eventName: string, identifier: string): void {
  const event = account.usage.byIdentifier(identifier)
  if (!event || event.event_name !== eventName || event.state === 'rejected') {
    throw refuse(`No event found with identifier ${identifier}.`, {
      code: 'resource_missing',
      param: 'cancel[identifier]',
    })
  }
  if (event.state === 'cancelled') throw refuse(`The event with identifier ${identifier} has already been cancelled.`)
  if (event.received_ms <= account.timeline.nowMs() - IDENTIFIER_KNOWN_MS) {
    throw refuse('You can only cancel events within 24 hours of Stripe receiving them.', {
      param: 'cancel[identifier]',
    })
  }
  account.usage.cancel(event)
}

function instant(written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  const ms = /^\d{4}-\d\d-\d\dT/.test(written) ? Date.parse(written) : Number.NaN
  if (Number.isNaN(ms))
    throw refuse(`Invalid timestamp: ${written} is not RFC 3339.`, { code: 'invalid_fields', param: 'timestamp' })
  return Math.floor(ms / 1000)
}

export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
