/** Every reason Meterkit refuses something. The code never changes; `docs/errors.md` has a heading for each. */
export const ERROR_CODES = [
  'invalid_config',
  'invalid_price',
  'unknown_meter',
  'unknown_plan',
  'unknown_customer',
  'unknown_subscription',
  'unknown_event',
  'foreign_subscription',
  'invalid_quantity',
  'negative_quantity',
  'quantity_too_large',
  'invalid_timestamp',
  'future_timestamp',
  'invalid_event_id',
  'invalid_properties',
  'event_conflict',
  'reason_required',
  'invalid_import',
  'import_too_large',
  'unknown_import',
  'collecting_off',
  'not_started',
  'journal_full',
  'journal_in_use',
  'journal_unwritable',
  'database_unreachable',
  'schema_outdated',
  'mode_mismatch',
  'meter_in_use',
  'subscription_not_live',
  'subscription_problem',
  'same_plan',
  'usage_unreported',
  'invalid_signature',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

export interface ErrorFacts {
  /** The input at fault, e.g. `quantity`. */
  field?: string
  /** What was given. */
  value?: unknown
  cause?: unknown
}

/** A refusal in a sentence that helps: who speaks, about which value, the rule, the way out. */
export class MeterkitError extends Error {
  override name = 'MeterkitError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly value: unknown

  constructor(code: ErrorCode, sentence: string, { field, value, cause }: ErrorFacts = {}) {
    super(`${sentence} (${code}: docs/errors.md#${code})`, cause === undefined ? undefined : { cause })
    this.code = code
    this.field = field
    this.value = value
  }
}
