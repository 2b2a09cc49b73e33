/** The `error` object of Stripe's answers. In v2 most errors have a code and no type. */
export interface WireError {
  type?:
    | 'api_error'
    | 'card_error'
    | 'idempotency_error'
    | 'invalid_request_error'
    | 'rate_limit'
    | 'temporary_session_expired'
  message: string
  code?: string
  param?: string
  doc_url?: string
  decline_code?: string
  charge?: string
  payment_intent?: unknown
  setup_intent?: unknown
  payment_method?: unknown
}

/** A refusal as Stripe words it. `kept`: the work had begun, so an Idempotency-Key replays this answer. */
export class ApiError extends Error {
  readonly status: number
  readonly error: WireError
  readonly kept: boolean

  constructor(status: number, error: WireError, kept = true) {
    super(error.message)
    this.name = 'ApiError'
    this.status = status
    this.error =
      error.code && error.type
        ? { ...error, doc_url: `https://stripe.com/docs/error-codes/${error.code.replaceAll('_', '-')}` }
        : error
    this.kept = kept
  }
}

/** 400: the request is understood and refused. */
export function refuse(message: string, about: Omit<WireError, 'type' | 'message'> = {}): ApiError {
  return new ApiError(400, { type: 'invalid_request_error', message, ...about })
}

/** 400 before any work began; an Idempotency-Key does not keep it. */
export function refuseParameter(message: string, about: { param?: string; code?: string } = {}): ApiError {
  return new ApiError(400, { type: 'invalid_request_error', message, ...about }, false)
}

/** 404 for the object a path names. */
export function missing(noun: string, id: string): ApiError {
  return new ApiError(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param: 'id',
    message: `No such ${noun}: '${id}'`,
  })
}

/** 400 for an object that a parameter names. */
export function missingReference(noun: string, id: string, param: string): ApiError {
  return refuse(`No such ${noun}: '${id}'`, { code: 'resource_missing', param })
}

export function cardError(message: string, about: Omit<WireError, 'type' | 'message'> & { code: string }): ApiError {
  return new ApiError(402, { type: 'card_error', message, ...about })
}

/** A refusal of the v2 API: a code and a sentence. */
export function refuseV2(code: string, message: string, status = 400): ApiError {
  return new ApiError(status, { code, message })
}

/** Does work of the v2 API, whose refusals are of another shape than those of v1. @throws ApiError */
export function inV2<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ApiError) || error.error.type !== 'invalid_request_error') throw error
    const code = error.status === 404 ? 'not_found' : 'invalid_fields'
    throw new ApiError(error.status, { code, message: error.message }, error.kept)
  }
}
