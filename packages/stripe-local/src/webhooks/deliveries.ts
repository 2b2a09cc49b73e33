import type { Account, Mail } from '../account.ts'
import type { Faults } from '../faults.ts'
import { newId } from '../identifier.ts'
import type { Delivery } from '../pages/context.ts'
import { type EventDestination, secretsOf, type WebhookEndpoint } from './endpoint.ts'
import type { ThinEvent } from './events.ts'
import { type Listener, Listeners } from './listeners.ts'
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
type Attempt = { atMs: number; answerStatus: number | null; answerBody: string | null; error: string | null }

const ANSWER_TIMEOUT_MS = 20_000
const ANSWER_BODY_MAX = 4000
const CONCURRENT_MAX = 8

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
  readonly #running = new Map<string, Promise<void>>()
  /** Something may wait for its first attempt; at first perhaps what an earlier process left. */
  #hasFresh = true
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
    if (!this.#hasFresh || this.#closing.signal.aborted) return
    const rows = this.#account.db.all<DeliveryRow>(
      `select * from deliveries where state = 'pending' and next_attempt_ms is null order by seq limit ?`,
      CONCURRENT_MAX + this.#running.size,
    )
    if (rows.length === 0) this.#hasFresh = false
    const fresh = rows
      .filter((row) => !this.#running.has(row.id))
      .slice(0, Math.max(0, CONCURRENT_MAX - this.#running.size))
    const planned = fresh.map((row) => ({ row, mode: this.#faults.takeWebhook() }))
    const ordered = planned.some(({ mode }) => mode === 'reorder') ? planned.toReversed() : planned
    for (const { row, mode } of ordered) this.#begin(row, mode)
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
    await this.#running.get(id)
    this.#begin(row, undefined)
    await this.#running.get(id)
  }

  /** Resolves when nothing is being sent and nothing waits for its first attempt. */
  async settled(): Promise<void> {
    for (;;) {
      this.kick()
      if (this.#running.size === 0) return
      await Promise.race(this.#running.values())
    }
  }

  isSettled(): boolean {
    return !this.#hasFresh && this.#running.size === 0
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

  #begin(row: DeliveryRow, mode: 'duplicate' | 'reorder' | 'drop' | undefined): void {
    const sending = this.#attempt(row, mode)
      .catch((error) => this.#log(`stripe-local: webhook ${row.id} failed inside: ${error}`))
      .finally(() => {
        this.#running.delete(row.id)
        this.kick()
      })
    this.#running.set(row.id, sending)
  }

  async #attempt(row: DeliveryRow, mode: 'duplicate' | 'reorder' | 'drop' | undefined): Promise<void> {
    const attempt =
      mode === 'drop' ? { answerStatus: null, answerBody: null, error: 'dropped on purpose' } : await this.#send(row)
    if (mode === 'duplicate') await this.#send(row)
    if (this.#closing.signal.aborted) return
    this.#account.db.transaction(() => this.#record(row, { atMs: this.#account.timeline.nowMs(), ...attempt }))
    this.#account.timeline.arm()
  }

  async #send(row: DeliveryRow): Promise<Omit<Attempt, 'atMs'>> {
    const endpoint = this.#endpoint(row.endpoint)
    if (!endpoint) return { answerStatus: null, answerBody: null, error: 'the endpoint was deleted' }
    const body = this.#body(row)
    // A receiver's clock may be the wall's or the local Stripe's, which may be ahead. Only a signature that is too old
    // is refused, so the later of the two suits both.
    const signedMs = Math.max(Date.now(), this.#account.timeline.nowMs())
    const signature = signatureHeader(
      body,
      secretsOf(endpoint, this.#account.timeline.nowMs()),
      Math.floor(signedMs / 1000),
    )
    try {
      const response = await fetch(row.url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'stripe-signature': signature,
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        },
        body,
        signal: AbortSignal.any([AbortSignal.timeout(ANSWER_TIMEOUT_MS), this.#closing.signal]),
      })
      const answerBody = (await response.text()).slice(0, ANSWER_BODY_MAX)
      return { answerStatus: response.status, answerBody, error: null }
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      return { answerStatus: null, answerBody: null, error: cause instanceof Error ? cause.message : String(cause) }
    }
  }

  #record(row: DeliveryRow, attempt: Attempt): void {
    const { timeline, db } = this.#account
    const current = this.#row(row.id)
    if (!current) return
    const attempts = [...(JSON.parse(current.attempts) as Attempt[]), attempt]
    const delivered = attempt.answerStatus !== null && attempt.answerStatus >= 200 && attempt.answerStatus < 300
    const delayMs = this.#retryDelaysMs[attempts.length - 1]
    const goneForGood = !this.#endpoint(row.endpoint) || delayMs === undefined
    const state = delivered || current.state === 'delivered' ? 'delivered' : goneForGood ? 'failed' : 'pending'
    const nextMs = state === 'pending' ? timeline.nowMs() + (delayMs ?? 0) : null
    db.run(
      'update deliveries set state = ?, next_attempt_ms = ?, attempts = ? where id = ?',
      state,
      nextMs,
      JSON.stringify(attempts),
      row.id,
    )
    timeline.schedule('delivery', row.id, nextMs)
    if (!delivered) this.#log(`stripe-local: ${row.event_type} to ${row.url}: ${attempt.error ?? attempt.answerStatus}`)
    else if (current.state !== 'delivered' && this.pending(row.event) === 0) this.onDelivered(row.event, row.event_type)
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
