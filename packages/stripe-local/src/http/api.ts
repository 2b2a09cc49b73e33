import { setTimeout as wait } from 'node:timers/promises'
import type { Account, Wire } from '../account.ts'
import type { Faults } from '../faults.ts'
import { newId } from '../identifier.ts'
import type { Meter } from '../metering/usage.ts'
import { isStreamToken } from '../resources/meter-events.ts'
import { checkRequest } from '../schema/request.ts'
import { API_VERSION } from '../webhooks/events.ts'
import { authenticate } from './authentication.ts'
import { ApiError, inV2, refuseParameter, type WireError } from './errors.ts'
import { expand } from './expand.ts'
import { type Raw, type RawFields, rawFrom, readForm } from './form.ts'
import { fingerprintOf, IdempotencyKeys } from './idempotency.ts'
import { inPinnedWords } from './older-requests.ts'
import { list, readParams, text } from './params.ts'
import { RateLimited, type RateLimits } from './rate-limits.ts'
import type { RequestLog } from './request-log.ts'
import type { Method, Route } from './route.ts'
import { Router } from './router.ts'
import { noticeFor } from './version.ts'

/** Thrown instead of an answer when a fault cuts the connection. */
export class ConnectionCut extends Error {}

/** About as long as Stripe itself takes at the least. */
const METER_CALL_MS = 20

type Answer = { status: number; body: string; headers?: { [name: string]: string } }

/** The API over one account: from a request to Stripe's answer. */
export class Api {
  readonly #account: Account
  readonly #secretKey: string
  readonly #faults: Faults
  readonly #log: (line: string) => void
  readonly #keys: IdempotencyKeys
  readonly #router: Router
  readonly #counts = new Map<string, number>()
  readonly #requests: RequestLog
  readonly #limits: RateLimits | null

  constructor(parts: {
    account: Account
    secretKey: string
    faults: Faults
    routes: Route[]
    requests: RequestLog
    /** Null: as fast as it goes. */
    limits: RateLimits | null
    log: (line: string) => void
  }) {
    this.#account = parts.account
    this.#secretKey = parts.secretKey
    this.#faults = parts.faults
    this.#log = parts.log
    this.#keys = new IdempotencyKeys(parts.account.db)
    this.#requests = parts.requests
    this.#limits = parts.limits
    this.#router = new Router(parts.routes)
  }

  requestCount(pathPrefix = '/'): number {
    let count = 0
    for (const [path, times] of this.#counts) if (path.startsWith(pathPrefix)) count += times
    return count
  }

  /** @throws ConnectionCut when a fault says so */
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const path = url.pathname
    const requestId = newId('req', 14)
    const startedMs = performance.now()
    this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1)
    const body = request.method === 'GET' ? '' : await request.text()
    const log = (answer: Answer | null) => this.#record(request, url, body, requestId, answer, startedMs)
    const cutOff = (why: string) => {
      log(null)
      throw new ConnectionCut(why)
    }
    if (this.#faults.take('dropRequests', path)) cutOff('dropped on purpose')
    if (this.#faults.take('hang', path)) {
      await abandoned(request.signal)
      cutOff('hung until the client gave up')
    }
    const answerFault = this.#faults.take('answer', path)
    const delay = this.#faults.take('delay', path)
    const cut = this.#faults.take('loseAnswers', path)
    let answer: Answer
    if (answerFault && !answerFault.afterWork) answer = faultyAnswer(answerFault.status)
    else {
      answer = await this.#answer(request, url, body, requestId, delay?.milliseconds ?? 0)
      if (answerFault) answer = faultyAnswer(answerFault.status)
    }
    if (cut) cutOff('answer lost on purpose')
    log(answer)
    return new Response(answer.body, {
      status: answer.status,
      headers: {
        'content-type': 'application/json',
        'request-id': requestId,
        'stripe-version': request.headers.get('stripe-version') ?? API_VERSION,
        ...answer.headers,
      },
    })
  }

  #record(request: Request, url: URL, body: string, id: string, answer: Answer | null, startedMs: number): void {
    const { headers, method } = request
    this.#requests.record({
      id,
      at: new Date(this.#account.timeline.nowMs()),
      method,
      path: url.pathname,
      query: url.search.slice(1),
      body,
      idempotencyKey: headers.get('idempotency-key'),
      userAgent: headers.get('user-agent'),
      apiVersion: headers.get('stripe-version'),
      status: answer?.status ?? null,
      answer: answer?.body ?? '',
      tookMs: performance.now() - startedMs,
    })
  }

  /** A call from inside, authenticated by being here. @throws ApiError */
  call(method: Method, path: string, params: { [name: string]: unknown } = {}): Wire {
    const answer = this.#account.db.transaction(() => this.#perform(method, path, rawFrom(params) as RawFields))
    this.#afterCommit()
    const refusal = this.#takeRefusal()
    if (refusal) throw refusal
    return answer
  }

  #takeRefusal(): ApiError | null {
    const { refusal } = this.#account
    this.#account.refusal = null
    return refusal
  }

  async #answer(request: Request, url: URL, body: string, requestId: string, delayMs: number): Promise<Answer> {
    const method = request.method
    const key =
      method === 'POST' || (method === 'DELETE' && url.pathname.startsWith('/v2/'))
        ? request.headers.get('idempotency-key')
        : null
    const headers: { [name: string]: string } = key ? { 'idempotency-key': key } : {}
    let began = false
    let endCall: (() => void) | null = null
    try {
      const authorization = request.headers.get('authorization')
      if (!isStreamToken(url.pathname, authorization, this.#account.seconds()))
        authenticate(authorization, this.#secretKey)
      this.#limits?.admit(method, url.pathname, performance.now())
      endCall = this.#enterCall(method, url, body, request.headers)
      const notice = noticeFor(request.headers.get('stripe-version'))
      if (notice) headers['stripe-notice'] = notice
      const nowMs = this.#account.timeline.nowMs()
      const fingerprint = key ? fingerprintOf(method, url.pathname, body) : ''
      if (key) {
        const kept = this.#keys.begin(key, fingerprint, nowMs)
        if (kept) return { ...kept, headers: { ...headers, 'idempotent-replayed': 'true' } }
        began = true
      }
      const answer = this.#work(method, url, body, request.headers, key, requestId, fingerprint, nowMs)
      this.#afterCommit()
      if (delayMs > 0 || endCall) await wait(Math.max(delayMs, endCall ? METER_CALL_MS : 0))
      return { ...answer, headers: { ...headers, ...answer.headers } }
    } catch (error) {
      const refusal = this.#refusal(error)
      return { ...refusal, headers: { ...headers, ...refusal.headers } }
    } finally {
      if (key && began) this.#keys.end(key)
      endCall?.()
    }
  }

  /** With rate limits a meter event's call takes a while, so that another one for its customer and meter can be too early. */
  #enterCall(method: string, url: URL, body: string, headers: Headers): (() => void) | null {
    if (!this.#limits || method !== 'POST' || !/^\/v[12]\/billing\/meter_events$/.test(url.pathname)) return null
    const { event_name: eventName, payload } = readRaw(method, url, body, headers)
    const [meter] = this.#account.objects.all<Meter>('billing.meter', { '$.event_name': String(eventName) })
    const key = meter?.customer_mapping.event_payload_key
    const customer = key && typeof payload === 'object' && payload !== null ? (payload as RawFields)[key] : undefined
    return customer === undefined ? null : this.#limits.enter(url.pathname, meter!.id, String(customer))
  }

  /** The work and its kept answer are one transaction: a killed process has done both or neither. */
  #work(
    method: string,
    url: URL,
    body: string,
    headers: Headers,
    key: string | null,
    requestId: string,
    fingerprint: string,
    nowMs: number,
  ): Answer {
    const { db } = this.#account
    // In v2 a retry of a failed request executes again.
    const keepsFailures = url.pathname.startsWith('/v1/')
    const keep = (answer: Answer) => {
      if (key && (keepsFailures || answer.status < 400)) this.#keys.keep(key, fingerprint, answer, nowMs)
      return answer
    }
    this.#account.cause = { id: requestId, idempotency_key: key }
    try {
      return db.transaction(() => {
        const raw = readRaw(method, url, body, headers)
        const asked = inPinnedWords(headers.get('stripe-version'), method, url.pathname, raw)
        const answer = this.#perform(method, url.pathname, asked)
        const refusal = this.#takeRefusal()
        return keep(refusal ? this.#refusal(refusal) : { status: 200, body: this.#account.written(answer, 2) })
      })
    } catch (error) {
      const answer = this.#refusal(error)
      if (!(error instanceof ApiError) || error.kept) db.transaction(() => keep(answer))
      return answer
    } finally {
      this.#account.cause = null
    }
  }

  #perform(method: string, path: string, raw: RawFields): Wire {
    return path.startsWith('/v2/') ? inV2(() => this.#handle(method, path, raw)) : this.#handle(method, path, raw)
  }

  #handle(method: string, path: string, raw: RawFields): Wire {
    const { route, ids, schema } = this.#router.find(method, path)
    if (schema) checkRequest(route, schema, raw)
    const endpoint = schema && `${method} ${route.path}`
    if (path.startsWith('/v2/'))
      return route.handle(this.#account, readParams(route.params, raw, endpoint) as never, ids)
    const { expand: rawPaths, ...rest } = raw
    const params = readParams(route.params, rest, endpoint)
    const paths = rawPaths === undefined ? [] : list(text()).read(rawPaths, 'expand', [])
    const answer = route.handle(this.#account, params as never, ids)
    return paths.length === 0 ? answer : expand(this.#account, answer, paths)
  }

  #refusal(error: unknown): Answer {
    if (error instanceof ApiError) {
      const body = JSON.stringify({ error: error.error }, null, 2)
      return {
        status: error.status,
        body,
        ...(error instanceof RateLimited && { headers: { 'stripe-rate-limited-reason': error.reason } }),
        ...(error.status === 400 && { headers: { 'stripe-should-retry': 'false' } }),
      }
    }
    this.#log(`stripe-local: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return faultyAnswer(500)
  }

  #afterCommit(): void {
    this.#account.deliveries.kick()
    this.#account.timeline.arm()
  }
}

/** Resolves when whoever sent the request no longer waits for its answer. */
function abandoned(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** What the query and, beside GET, the body say. @throws ApiError for a body that cannot be read */
function readRaw(method: string, url: URL, body: string, headers: Headers): RawFields {
  const query = readForm(url.search.slice(1))
  if (method === 'GET' || body === '') return query
  if (!url.pathname.startsWith('/v2/')) {
    checkContentType(headers.get('content-type') ?? '')
    return { ...query, ...readForm(body) }
  }
  return { ...query, ...readJson(body) }
}

function readJson(body: string): RawFields {
  let fields: Raw
  try {
    fields = JSON.parse(body)
  } catch {
    throw refuseParameter('Invalid request: the body is not valid JSON.')
  }
  if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return fields
  throw refuseParameter('Invalid request: the body is not a JSON object.')
}

/** @throws ApiError unless it is a form */
function checkContentType(type: string): void {
  const [media = ''] = type.toLowerCase().split(';')
  if (media.trim() === 'application/x-www-form-urlencoded') return
  throw refuseParameter(
    media.includes('json')
      ? 'Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.'
      : `Invalid request: unsupported Content-Type ${type}. If error persists and you need assistance, please contact support@stripe.com.`,
  )
}

function faultyAnswer(status: number): Answer {
  const errors: { [status: number]: WireError } = {
    409: {
      type: 'invalid_request_error',
      code: 'lock_timeout',
      message:
        "This object can't be accessed right now because another API request or Stripe process currently accessing it. If you see this error intermittently, retry the request.",
    },
    429: {
      type: 'invalid_request_error',
      code: 'rate_limit',
      message: 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
    },
  }
  const error = errors[status] ?? { type: 'api_error', message: 'An unknown error occurred' }
  const headers: { [name: string]: string } = status === 429 ? { 'stripe-rate-limited-reason': 'global-rate' } : {}
  return { status, body: JSON.stringify({ error }, null, 2), headers }
}
