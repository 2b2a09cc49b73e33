import type { Directory } from '../directory.ts'
import { MeterkitError } from '../errors.ts'
import type { Meter } from '../plans/config.ts'
import { significantDigits } from '../pricing/decimal.ts'
import type { EventInput, MeterEvent, Properties } from './event.ts'

/** Stripe refuses values with more. @see https://docs.stripe.com/changelog/dahlia/2026-04-22/billing-meter-event-values-validation */
const SIGNIFICANT_DIGITS_MAX = 15
const DECIMALS_MAX = 12
/** Stripe's window, and a clock may be off by as much. */
const FUTURE_MS_MAX = 5 * 60 * 1000
const KEY_LENGTH_MAX = 200
const PROPERTIES_MAX = 50
const PROPERTY_NAME_LENGTH_MAX = 100
const PROPERTY_LENGTH_MAX = 500

export interface MeterIndex {
  byName: ReadonlyMap<string, Meter>
  byId: ReadonlyMap<number, Meter>
}

/**
 * The event an input stands for, checked against what is in memory alone.
 * @param newId  a UUIDv7 of our own clock
 * @throws MeterkitError naming the field and the value
 */
export function validEvent(
  { meters, directory, now, newId }: { meters: MeterIndex; directory: Directory; now: number; newId: () => string },
  input: EventInput,
): MeterEvent {
  const meter = meterOf(meters, input)
  const { customerId, subscriptionId } = input
  if (!directory.hasCustomer(customerId)) {
    refuse('unknown_customer', 'customerId', customerId, 'is not a customer here. Create it with customers.ensure(…)')
  }
  const owner = directory.ownerOf(subscriptionId)
  if (owner === undefined) {
    refuse(
      'unknown_subscription',
      'subscriptionId',
      subscriptionId,
      'is not a subscription here. Take the id from subscriptions.ofCustomer(customerId)',
    )
  }
  if (owner !== customerId) {
    refuse('foreign_subscription', 'subscriptionId', subscriptionId, `belongs to another customer than ${customerId}`)
  }
  return {
    id: newId(),
    key: input.id === undefined ? null : validKey(input.id),
    customerId,
    subscriptionId,
    meterId: meter.id,
    quantity:
      meter.aggregation === 'count'
        ? validCount(input.quantity)
        : validQuantity(input.quantity === undefined ? 1 : input.quantity),
    occurredAt: input.timestamp === undefined ? now : validTimestamp(input.timestamp, now),
    properties: input.properties === undefined ? null : validProperties(input.properties),
  }
}

function meterOf(meters: MeterIndex, { meter, meterId }: EventInput): Meter {
  if ((meter === undefined) === (meterId === undefined)) {
    refuse(
      'unknown_meter',
      'meter',
      meter ?? meterId,
      'must be given once: `meter` (its event name) or `meterId`, not both',
    )
  }
  const found = meter === undefined ? meters.byId.get(meterId!) : meters.byName.get(meter)
  if (found) return found
  const known = [...meters.byName.keys()].join(', ')
  return refuse(
    'unknown_meter',
    meter === undefined ? 'meterId' : 'meter',
    meter ?? meterId,
    `is not a meter of the config. Its meters: ${known}`,
  )
}

function validQuantity(quantity: number | string | bigint): string {
  if (typeof quantity !== 'number' && typeof quantity !== 'string' && typeof quantity !== 'bigint') {
    refuse(
      'invalid_quantity',
      'quantity',
      quantity,
      'must be a number, a bigint or a plain decimal string such as "12.5"',
    )
  }
  const text = String(quantity)
  // the common case, without the cost of parsing
  if (
    typeof quantity === 'number' &&
    Number.isSafeInteger(quantity) &&
    quantity >= 0 &&
    text.length <= SIGNIFICANT_DIGITS_MAX
  ) {
    return text
  }
  if (/^-\d/.test(text) && Number(text) < 0) {
    refuse(
      'negative_quantity',
      'quantity',
      quantity,
      'is negative. A quantity is 0 or more; to take back an earlier event, void it: events.void(id, …)',
    )
  }
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) {
    const exponent = /^\d+(\.\d+)?e\+\d+$/.test(text)
    if (exponent)
      refuse('quantity_too_large', 'quantity', quantity, `has more than ${SIGNIFICANT_DIGITS_MAX} significant digits`)
    refuse(
      'invalid_quantity',
      'quantity',
      quantity,
      'must be a finite number of 0 or more, or a plain decimal string such as "12.5"',
    )
  }
  const fraction = match[2] ?? ''
  if (fraction.length > DECIMALS_MAX) {
    refuse('invalid_quantity', 'quantity', quantity, `has more than ${DECIMALS_MAX} decimals`)
  }
  const digits = significantDigits({ digits: BigInt(`${match[1]}${fraction}`), scale: fraction.length })
  if (digits > SIGNIFICANT_DIGITS_MAX || match[1]!.replace(/^0+/, '').length > SIGNIFICANT_DIGITS_MAX) {
    refuse('quantity_too_large', 'quantity', quantity, `has more than ${SIGNIFICANT_DIGITS_MAX} significant digits`)
  }
  return text
}

function validCount(quantity: number | string | bigint | undefined): string {
  if (quantity !== undefined && String(quantity) !== '1') {
    refuse('invalid_quantity', 'quantity', quantity, 'must be left out (or 1): this meter counts events')
  }
  return '1'
}

function validTimestamp(timestamp: Date, now: number): number {
  const at = timestamp instanceof Date ? timestamp.getTime() : Number.NaN
  if (Number.isNaN(at)) refuse('invalid_timestamp', 'timestamp', timestamp, 'must be a valid Date')
  if (at < 0)
    refuse('invalid_timestamp', 'timestamp', timestamp.toISOString(), 'is before 1970. Was it given in seconds?')
  if (at > now + FUTURE_MS_MAX) {
    refuse(
      'future_timestamp',
      'timestamp',
      timestamp.toISOString(),
      'is more than 5 minutes in the future. Check the clock it came from',
    )
  }
  return at
}

function validKey(key: string): string {
  if (typeof key === 'string' && key.length > 0 && key.length <= KEY_LENGTH_MAX && isStorable(key)) return key
  return refuse('invalid_event_id', 'id', key, `must be a string of 1 to ${KEY_LENGTH_MAX} characters`)
}

/** A copy: what the caller does to its object afterwards must not reach the event. */
function validProperties(properties: Properties): Properties {
  if (properties === null || typeof properties !== 'object' || Array.isArray(properties)) {
    refuse('invalid_properties', 'properties', properties, 'must be an object such as { model: "demo" }')
  }
  const names = Object.keys(properties)
  if (names.length > PROPERTIES_MAX) {
    refuse('invalid_properties', 'properties', names.length, `has more than ${PROPERTIES_MAX} entries`)
  }
  for (const name of names) validProperty(name, properties[name])
  return { ...properties }
}

function validProperty(name: string, value: unknown): void {
  const field = `properties.${name.slice(0, PROPERTY_NAME_LENGTH_MAX)}`
  if (name.length > PROPERTY_NAME_LENGTH_MAX || !isStorable(name)) {
    refuse(
      'invalid_properties',
      field,
      name.slice(0, 40),
      `must have a name of at most ${PROPERTY_NAME_LENGTH_MAX} storable characters`,
    )
  }
  if (typeof value === 'string') {
    if (value.length > PROPERTY_LENGTH_MAX) {
      refuse('invalid_properties', field, `${value.slice(0, 40)}…`, `is longer than ${PROPERTY_LENGTH_MAX} characters`)
    }
    if (!isStorable(value)) {
      refuse('invalid_properties', field, value, 'holds a zero byte or half a character, which PostgreSQL cannot store')
    }
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse('invalid_properties', field, value, 'must be a finite number')
  } else if (value !== null && typeof value !== 'boolean') {
    refuse('invalid_properties', field, typeof value, 'must be a string, a number, a boolean or null')
  }
}

/** PostgreSQL's text holds neither zero bytes nor lone surrogates. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

function refuse(
  code: ConstructorParameters<typeof MeterkitError>[0],
  field: string,
  value: unknown,
  rule: string,
): never {
  throw new MeterkitError(code, `recordEvent: ${field} ${shown(value)} ${rule}.`, { field, value })
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** Whether the day that this day or instant begins with exists: JavaScript takes the 31st of September for the 1st of October. */
export function isInCalendar(timestamp: string): boolean {
  const day = timestamp.slice(0, 10)
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}
