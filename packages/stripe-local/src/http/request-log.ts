/** One request to the API as it came and as it was answered. */
export interface LoggedRequest {
  id: string
  /** Local Stripe time. */
  at: Date
  method: string
  path: string
  /** Without the question mark. */
  query: string
  body: string
  idempotencyKey: string | null
  userAgent: string | null
  apiVersion: string | null
  /** Null when the connection was cut instead. */
  status: number | null
  answer: string
  tookMs: number
}

const KEPT_MAX = 500
const BODY_MAX = 16_000

/**
 * The latest requests, for the dashboard. In memory only and bounded in number and size; keys never come here, and what
 * is secret in a body is masked when it is read.
 */
export class RequestLog {
  readonly #kept: LoggedRequest[] = []

  record(request: LoggedRequest): void {
    this.#kept.push({ ...request, body: cut(request.body), answer: cut(request.answer) })
    // Twice the bound before half is let go: shifting at every request would cost more than the request's own work.
    if (this.#kept.length >= 2 * KEPT_MAX) this.#kept.splice(0, this.#kept.length - KEPT_MAX)
  }

  /** Newest first, at most the last 500; `before` is a request's id. */
  list(options: { limit: number; before?: string; matches?: (request: LoggedRequest) => boolean }): LoggedRequest[] {
    const newest = this.#kept.slice(-KEPT_MAX).toReversed()
    const from = options.before === undefined ? 0 : newest.findIndex(({ id }) => id === options.before) + 1
    const found = newest.slice(from).filter((request) => options.matches?.(request) ?? true)
    return found.slice(0, options.limit).map(withoutSecrets)
  }

  find(id: string): LoggedRequest | null {
    const found = this.#kept.findLast((request) => request.id === id)
    return found ? withoutSecrets(found) : null
  }
}

function cut(text: string): string {
  return text.length <= BODY_MAX ? text : `${text.slice(0, BODY_MAX)}…`
}

const SECRET_FIELD =
  '(?:number|cvc|exp_month|exp_year|client_secret|secret|signing_secret|authentication_token|api_key)'
const IN_FORM = new RegExp(`((?:^|&)(?:[^=&]*(?:\\[|%5B))?${SECRET_FIELD}(?:\\]|%5D)?=)[^&]*`, 'gi')
const IN_JSON = new RegExp(`("${SECRET_FIELD}"\\s*:\\s*)("(?:[^"\\\\]|\\\\.)*"|\\d+)`, 'gi')
/** An invoice's number and a card's expiry are no secret in an answer. */
const IN_ANSWER = /("(?:client_secret|secret|signing_secret|authentication_token)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi

function withoutSecrets(request: LoggedRequest): LoggedRequest {
  const isJson = request.body.trimStart().startsWith('{')
  return {
    ...request,
    body: isJson ? request.body.replace(IN_JSON, '$1"****"') : request.body.replace(IN_FORM, '$1****'),
    answer: request.answer.replace(IN_ANSWER, '$1"****"'),
  }
}
