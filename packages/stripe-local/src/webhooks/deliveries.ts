import type { Account, Mail } from '../account.ts'
import type { Faults } from '../faults.ts'
import { newId } from '../identifier.ts'
import type { Delivery } from './delivery.ts'
import { type EventDestination, secretsOf, type WebhookEndpoint } from './endpoint.ts'
import type { ThinEvent } from './events.ts'
import { type Listener, Listeners } from './listeners.ts'
import { type PostAnswer, Poster } from './post.ts'
import { signatureHeader } from './signature.ts'

interface DeliveryRow {
  seq: number
  id: string
  event: string
  event_type: string
  endpoint: string
  url: string
  state: Delivery['status']
  created_ms: number
  next_attempt_ms: number | null
  attempts: string
}
type Mode = 'duplicate' | 'reorder' | 'drop' | undefined
type Attempt = { atMs: number; answerStatus: number | null; answerBody: string | null; error: string | null }

const CONCURRENT_MAX = 8
/** So many are read ahead. */
const QUEUE_MAX = 200

/**
 * Sends events to endpoints. A delivery is written with its event; its first attempt follows the commit at once, each
 * further one when the timeline says so. Each attempt is signed anew. Like Stripe, no order is promised.
 */
export class Deliveries implements Mail {
  /** Told when every endpoint has answered an event with 2xx. */
  onDelivered: (eventId: string, eventType: string) => void = () => {}
  readonly listeners: Listeners
  readonly #account: Account
  readonly #faults: Faults
  readonly #retryDelaysMs: number[]
  readonly #log: (line: string) => void
  readonly #poster = new Poster()
  /** By delivery; each resolves when its attempt has been written down. */
  readonly #running = new Map<string, Promise<void>>()
  /** Committed, and waiting for their first attempt. */
  #queue: DeliveryRow[] = []
  #queuedUpTo = 0
  /** There may be more than those; at first perhaps what an earlier process left. */
  #hasFresh = true
  /** Attempts that are to be written down, together with those that end at the same time. */
  #ended: { row: DeliveryRow; attempt: Attempt; written: () => void }[] = []
  #waiting: (() => void)[] = []
  readonly #closing = new AbortController()

  constructor(account: Account, faults: Faults, retryDelaysMs: number[], log: (line: string) => void) {
    this.#account = account
    this.listeners = new Listeners(account.objects)
    this.#faults = faults
    this.#retryDelaysMs = retryDelaysMs
    this.#log = log
  }

  address(form: 'snapshot' | 'thin', eventId: string, type: string, only?: Listener): void {
    for (const { id, url } of only ? [only] : this.listeners.of(form, type)) this.#address(eventId, type, id, url)
  }

  /** How many deliveries of an event have not succeeded yet. */
  pending(eventId: string): number {
    const sql = `select count(*) as count from deliveries where event = ? and state = 'pending'`
    return this.#account.db.get<{ count: number }>(sql, eventId)?.count ?? 0
  }

  /** Begins what waits for its first attempt; call after every commit. */
  kick(): void {
    if (this.#closing.signal.aborted) return
    const planned: { row: DeliveryRow; mode: Mode }[] = []
    while (this.#running.size + planned.length < CONCURRENT_MAX) {
      const row = this.#next()
      if (!row) break
      planned.push({ row, mode: this.#faults.takeWebhook() })
    }
    if (planned.some(({ mode }) => mode === 'reorder')) planned.reverse()
    for (const { row, mode } of planned) this.#begin(row, mode)
  }

  #next(): DeliveryRow | undefined {
    if (this.#queue.length === 0 && this.#hasFresh) {
      this.#queue = this.#account.db.all<DeliveryRow>(
        `select * from deliveries where state = 'pending' and next_attempt_ms is null and seq > ? order by seq limit ?`,
        this.#queuedUpTo,
        QUEUE_MAX,
      )
      this.#hasFresh = this.#queue.length === QUEUE_MAX
      this.#queuedUpTo = this.#queue.at(-1)?.seq ?? this.#queuedUpTo
      this.#queue.reverse()
    }
    return this.#queue.pop()
  }

  /** The timeline's handler for a retry that has come due. */
  retry(id: string): void {
    const row = this.#row(id)
    if (row?.state === 'pending' && !this.#running.has(id)) this.#begin(row, undefined)
  }

  /** Once more, whatever became of it; the automatic retries go on by themselves. */
  async resend(id: string): Promise<void> {
    const row = this.#row(id)
    if (!row) throw new RangeError(`There is no webhook delivery ${id}.`)
    this.#queue = this.#queue.filter((waiting) => waiting.id !== id)
    await this.#running.get(id)
    this.#begin(row, undefined)
    await this.#running.get(id)
  }

  /** Resolves when nothing is being sent and nothing waits for its first attempt. */
  async settled(): Promise<void> {
    this.kick()
    if (this.#closing.signal.aborted || this.isSettled()) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  isSettled(): boolean {
    return !this.#hasFresh && this.#queue.length === 0 && this.#running.size === 0
  }

  list({ limit, before, event, state }: Parameters<Mail['list']>[0]): Delivery[] {
    const last = before === undefined ? Number.MAX_SAFE_INTEGER : (this.#row(before)?.seq ?? 0)
    // The state is written out, so that SQLite sees that a partial index covers it; its type allows three only.
    const conditions = `${event === undefined ? '' : ' and event = ?'}${state === undefined ? '' : ` and state = '${state}'`}`
    const sql = `select * from deliveries where seq < ?${conditions} order by seq desc limit ?`
    const values = event === undefined ? [last, limit] : [last, event, limit]
    return this.#account.db.all<DeliveryRow>(sql, ...values).map((row) => ({
      id: row.id,
      eventId: row.event,
      eventType: row.event_type,
      endpointId: row.endpoint,
      url: row.url,
      status: row.state,
      createdAt: new Date(row.created_ms),
      nextAttemptAt: row.next_attempt_ms === null ? null : new Date(row.next_attempt_ms),
      body: this.#body(row),
      attempts: (JSON.parse(row.attempts) as Attempt[]).map(({ atMs, ...rest }) => ({ at: new Date(atMs), ...rest })),
    }))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#running.values())
    this.#poster.close()
  }

  #address(eventId: string, type: string, endpoint: string, url: string): void {
    this.#hasFresh = true
    this.#account.db.run(
      `insert into deliveries (id, event, event_type, endpoint, url, state, created_ms, attempts)
       values (?, ?, ?, ?, ?, 'pending', ?, '[]')`,
      newId('whd'),
      eventId,
      type,
      endpoint,
      url,
      this.#account.timeline.nowMs(),
    )
  }

  #begin(row: DeliveryRow, mode: Mode): void {
    const sending = this.#attempt(row, mode)
      .catch((error) => this.#log(`stripe-local: webhook ${row.id} failed inside: ${error}`))
      .finally(() => {
        this.#running.delete(row.id)
        this.kick()
        if (this.#closing.signal.aborted || this.isSettled()) for (const resolve of this.#waiting.splice(0)) resolve()
      })
    this.#running.set(row.id, sending)
  }

  async #attempt(row: DeliveryRow, mode: Mode): Promise<void> {
    const answer: PostAnswer =
      mode === 'drop' ? { answerStatus: null, answerBody: null, error: 'dropped on purpose' } : await this.#send(row)
    if (mode === 'duplicate') await this.#send(row)
    if (this.#closing.signal.aborted) return
    const attempt = { atMs: this.#account.timeline.nowMs(), ...answer }
    await new Promise<void>((written) => {
      if (this.#ended.length === 0) setImmediate(() => this.#write())
      this.#ended.push({ row, attempt, written })
    })
  }

  /** Writes down what ended since the last time, in one transaction. */
  #write(): void {
    const ended = this.#ended.splice(0)
    try {
      if (this.#closing.signal.aborted) return
      this.#account.db.transaction(() => {
        for (const { row, attempt } of ended) this.#record(row, attempt)
      })
      this.#account.timeline.arm()
    } catch (error) {
      this.#log(`stripe-local: what became of ${ended.length} webhooks could not be written down: ${error}`)
    } finally {
      for (const { written } of ended) written()
    }
  }

  async #send(row: DeliveryRow): Promise<PostAnswer> {
    const endpoint = this.#endpoint(row.endpoint)
    if (!endpoint) return { answerStatus: null, answerBody: null, error: 'the endpoint was deleted' }
    const body = this.#body(row)
    // A receiver's clock may be the wall's or the local Stripe's, which may be ahead. Only a signature that is too old
    // is refused, so the later of the two suits both.
    const nowMs = this.#account.timeline.nowMs()
    const signedMs = Math.max(Date.now(), nowMs)
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': signatureHeader(body, secretsOf(endpoint, nowMs), Math.floor(signedMs / 1000)),
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    }
    return await this.#poster.post(row.url, headers, body, this.#closing.signal)
  }

  /** `row` is as it was when the attempt began; there is one attempt at a time for each. */
  #record(row: DeliveryRow, attempt: Attempt): void {
    const { timeline, db } = this.#account
    const attempts = [...(JSON.parse(row.attempts) as Attempt[]), attempt]
    const delivered = attempt.answerStatus !== null && attempt.answerStatus >= 200 && attempt.answerStatus < 300
    const delayMs = this.#retryDelaysMs[attempts.length - 1]
    const goneForGood = !this.#endpoint(row.endpoint) || delayMs === undefined
    const state = delivered || row.state === 'delivered' ? 'delivered' : goneForGood ? 'failed' : 'pending'
    const nextMs = state === 'pending' ? timeline.nowMs() + (delayMs ?? 0) : null
    db.run(
      'update deliveries set state = ?, next_attempt_ms = ?, attempts = ? where seq = ?',
      state,
      nextMs,
      JSON.stringify(attempts),
      row.seq,
    )
    if (nextMs !== null || row.next_attempt_ms !== null) timeline.schedule('delivery', row.id, nextMs)
    if (!delivered) this.#log(`stripe-local: ${row.event_type} to ${row.url}: ${attempt.error ?? attempt.answerStatus}`)
    else if (row.state !== 'delivered' && this.pending(row.event) === 0) this.onDelivered(row.event, row.event_type)
  }

  #body(row: DeliveryRow): string {
    const sql = 'select form, data from events where id = ?'
    const event = this.#account.db.get<{ form: string; data: string }>(sql, row.event)
    if (!event) return ''
    if (event.form === 'thin') {
      const { data: _onlyWhenFetched, ...notification } = JSON.parse(event.data) as ThinEvent
      return JSON.stringify(notification)
    }
    return JSON.stringify(
      { ...JSON.parse(event.data), pending_webhooks: Math.max(1, this.pending(row.event)) },
      null,
      2,
    )
  }

  #row(id: string): DeliveryRow | undefined {
    return this.#account.db.get<DeliveryRow>('select * from deliveries where id = ?', id)
  }

  #endpoint(id: string): WebhookEndpoint | EventDestination | undefined {
    return this.#account.objects.any(id) as WebhookEndpoint | EventDestination | undefined
  }
}
