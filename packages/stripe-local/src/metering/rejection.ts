import type { Account } from '../account.ts'
import type { Meter, MeterEventRow } from './usage.ts'
import { DIGITS_MAX, hasTooManyDigits, isCountable } from './value.ts'

/** Why an event does not count, in a code of the error reports and in words. */
export interface Rejection {
  code: string
  message: string
}

const OLDEST_SECONDS = 35 * 24 * 60 * 60
const AHEAD_SECONDS = 5 * 60

/** What is wrong with the meter, the time or the length of the value: the v1 and v2 endpoints say so at once. */
export function refusalOf(
  account: Account,
  event: Pick<MeterEventRow, 'event_name' | 'meter' | 'timestamp' | 'value'>,
  now: number,
): Rejection | null {
  return meterRejection(account, event) ?? windowRejection(event.timestamp, now) ?? digitsRejection(event.value)
}

/** What is wrong with an accepted event: found later, and told by a report. */
export function rejectionOf(
  account: Account,
  event: Pick<MeterEventRow, 'event_name' | 'meter' | 'customer' | 'value'> & { rejection?: string | null },
): Rejection | null {
  if (event.rejection) return readRejection(event.rejection)
  return meterRejection(account, event) ?? customerRejection(account, event) ?? valueRejection(event.value)
}

/** As it is kept beside the event: the code, and what it means. */
export function writeRejection({ code, message }: Rejection): string {
  return `${code}: ${message}`
}

function readRejection(kept: string): Rejection {
  const [code, ...words] = kept.split(': ') as [string, ...string[]]
  return { code, message: words.length > 0 ? words.join(': ') : `The event was rejected on purpose (${code}).` }
}

function meterRejection(account: Account, event: Pick<MeterEventRow, 'event_name' | 'meter'>): Rejection | null {
  const meter = event.meter ? account.objects.find<Meter>('billing.meter', event.meter) : undefined
  if (!meter) return { code: 'no_meter', message: `No meter was found matching event_name ${event.event_name}.` }
  if (meter.status === 'active') return null
  return { code: 'archived_meter', message: `The meter for event_name ${event.event_name} is inactive.` }
}

function windowRejection(at: number, now: number): Rejection | null {
  const oldest = now - OLDEST_SECONDS
  if (at < oldest) {
    return {
      code: 'timestamp_too_far_in_past',
      message: `The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to ${oldest}.`,
    }
  }
  const latest = now + AHEAD_SECONDS
  if (at <= latest) return null
  return {
    code: 'timestamp_in_future',
    message: `The event timestamp cannot be more than 5 minutes in the future. Expected a timestamp less than or equal to ${latest}.`,
  }
}

function digitsRejection(value: string): Rejection | null {
  if (!hasTooManyDigits(value)) return null
  return {
    code: 'meter_event_value_too_many_digits',
    message: `The value in the event payload can have at most ${DIGITS_MAX} digits. Received \`${value}\`.`,
  }
}

function customerRejection(account: Account, event: Pick<MeterEventRow, 'customer' | 'meter'>): Rejection | null {
  if (!event.customer) {
    const key = account.get<Meter>('billing.meter', event.meter!).customer_mapping.event_payload_key
    return { code: 'meter_event_no_customer_defined', message: `Customer mapping key ${key} not found in payload.` }
  }
  const customer = account.objects.find('customer', event.customer) as { _deleted?: true } | undefined
  if (customer && !customer._deleted) return null
  return { code: 'meter_event_customer_not_found', message: `Customer ${event.customer} not found.` }
}

function valueRejection(value: string): Rejection | null {
  if (isCountable(value)) return null
  return {
    code: 'meter_event_invalid_value',
    message: `The value in the event payload must be a number. Received \`${value}\`.`,
  }
}
