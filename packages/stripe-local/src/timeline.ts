import type { Database } from './database.ts'

export type DueKind =
  | 'authorization'
  | 'checkout'
  | 'credit_grant'
  | 'delivery'
  | 'invoice'
  | 'schedule'
  | 'subscription'
  | 'test_clock'
type Handler = (id: string, atMs: number) => void
type Due = { kind: DueKind; id: string; atMs: number }

/** Node's timers hold 31 bits; the timer wakes at least this often and looks again. */
const TIMER_MS_MAX = 60 * 60 * 1000
/** "Advance to now" is asked with an instant that is a little past when it arrives. */
const SLACK_MS = 1000
const POSTPONED_MS = 60_000
/** Steps share a transaction for so long, in milliseconds; then whoever else waits has a turn. */
const TURN_MS = 40

/**
 * The local Stripe's time and what has to happen when. The main clock ('') is real time plus an offset that only grows;
 * each test clock stands still between advances. Nothing here waits by polling: one timer sleeps until the next thing due.
 */
export class Timeline {
  readonly handlers = new Map<DueKind, Handler>()
  /** Does what a step set off and can be done at once (aggregation); in the step's transaction. */
  afterStep: () => void = () => {}
  /** Whether a step set off what takes time (webhooks): then `settle` is awaited before time goes on. */
  mustSettle: () => boolean = () => false
  settle: () => Promise<void> = async () => {}
  onError: (line: string) => void = () => {}
  readonly #db: Database
  readonly #realNow: () => Date
  readonly #frozen: (clock: string) => number | undefined
  #offsetMs: number
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()
  #closed = false
  #performed: Due | undefined

  constructor(db: Database, realNow: () => Date, frozenMs: (clock: string) => number | undefined) {
    this.#db = db
    this.#realNow = realNow
    this.#frozen = frozenMs
    this.#offsetMs = Number(db.setting('clock_offset_ms') ?? 0)
  }

  nowMs(clock: string | null = null): number {
    const frozen = clock ? this.#frozen(clock) : undefined
    return frozen ?? this.#realNow().getTime() + this.#offsetMs
  }

  realMs(): number {
    return this.#realNow().getTime()
  }

  /** Plans, moves or (null) calls off the one thing of this kind and id. */
  schedule(kind: DueKind, id: string, atMs: number | null, clock: string | null = null): void {
    if (this.#db.isRehearsing) return
    if (this.#performed?.id === id && this.#performed.kind === kind) this.#performed = undefined
    if (atMs === null) this.#db.run('delete from due where kind = ? and id = ?', kind, id)
    else {
      this.#db.run(
        `insert into due (kind, id, clock, at_ms) values (?, ?, ?, ?)
         on conflict (kind, id) do update set at_ms = excluded.at_ms, clock = excluded.clock`,
        kind,
        id,
        clock ?? '',
        Math.ceil(atMs),
      )
    }
  }

  /** Sleeps until the next thing due on the main clock; call after every commit that may have planned something. */
  arm(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const next = this.#db.get<{ at_ms: number }>(`select at_ms from due where clock = '' order by at_ms limit 1`)
    if (!next) return
    const waitMs = Math.min(TIMER_MS_MAX, Math.max(0, next.at_ms - this.nowMs()))
    this.#timer = setTimeout(() => void this.#serially(() => this.#catchUp()), waitMs)
    this.#timer.unref()
  }

  /** Moves the main clock to `toMs`, stopping at everything due on the way. */
  advance(toMs: number): Promise<void> {
    return this.#serially(async () => {
      if (toMs < this.nowMs() - SLACK_MS)
        throw new RangeError(`Time only moves forward: it is ${new Date(this.nowMs()).toISOString()}.`)
      await this.#walk('', toMs, (atMs) => this.#moveTo(Math.max(atMs, this.nowMs())))
    })
  }

  /** Moves a test clock, whose frozen time `freeze` writes. */
  advanceClock(clock: string, toMs: number, freeze: (atMs: number) => void): Promise<void> {
    return this.#serially(() => this.#walk(clock, toMs, freeze))
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Begins nothing more, and resolves when the step under way is done. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
  }

  async #catchUp(): Promise<void> {
    for (;;) {
      const next = this.#next('', this.nowMs())
      if (!next) break
      await this.#step(next).catch((error) => this.#postpone(next, error))
    }
    this.arm()
  }

  /** From one due thing to the next until `toMs`. What is due at one instant is done before its webhooks are awaited. */
  async #walk(clock: string, toMs: number, moveTo: (atMs: number) => void): Promise<void> {
    await this.settle()
    while (this.#turn(clock, toMs, moveTo)) {
      if (this.mustSettle()) await this.settle()
      else await new Promise(setImmediate)
    }
    moveTo(toMs)
  }

  /** As many steps as one turn allows, in one transaction. @returns whether there may be more */
  #turn(clock: string, toMs: number, moveTo: (atMs: number) => void): boolean {
    const offsetMs = this.#offsetMs
    let done = 0
    const attempt = (limit: number) =>
      this.#db.transaction(() => this.#steps(clock, toMs, moveTo, limit, () => (done += 1)))
    try {
      return attempt(Number.POSITIVE_INFINITY)
    } catch (error) {
      this.#offsetMs = offsetMs
      if (done === 0) throw error
      // A step fails alone: those before it are done again, each by itself, and then it is the first.
      for (let left = done; left > 0; left -= 1) attempt(1)
      return true
    }
  }

  #steps(clock: string, toMs: number, moveTo: (atMs: number) => void, limit: number, tally: () => void): boolean {
    const untilMs = performance.now() + TURN_MS
    let at: number | undefined
    for (let count = 0; count < limit && performance.now() < untilMs; count += 1) {
      const next = this.#next(clock, toMs)
      if (!next) return at !== undefined && this.mustSettle()
      if (at !== undefined && next.atMs !== at && this.mustSettle()) return true
      if (next.atMs !== at) moveTo(next.atMs)
      at = next.atMs
      this.#perform(next)
      tally()
    }
    return true
  }

  async #step(next: Due): Promise<void> {
    this.#db.transaction(() => this.#perform(next))
    await this.settle()
  }

  /** Done, it is no longer due, unless it has planned itself anew. */
  #perform(due: Due): void {
    this.#performed = due
    this.handlers.get(due.kind)?.(due.id, due.atMs)
    if (this.#performed) this.schedule(due.kind, due.id, null)
    this.#performed = undefined
    this.afterStep()
  }

  /** A step that throws must neither end the process nor be tried without a pause. */
  #postpone(failed: { kind: DueKind; id: string }, error: unknown): void {
    this.onError(`stripe-local: ${failed.kind} ${failed.id} failed and is tried again in a minute: ${error}`)
    this.schedule(failed.kind, failed.id, this.nowMs() + POSTPONED_MS)
  }

  #next(clock: string, untilMs: number): Due | undefined {
    if (this.#closed) return undefined
    const row = this.#db.get<{ kind: DueKind; id: string; at_ms: number }>(
      'select kind, id, at_ms from due where clock = ? and at_ms <= ? order by at_ms, kind, id limit 1',
      clock,
      untilMs,
    )
    return row && { kind: row.kind, id: row.id, atMs: row.at_ms }
  }

  #moveTo(atMs: number): void {
    this.#offsetMs = atMs - this.#realNow().getTime()
    this.#db.writeSetting('clock_offset_ms', String(this.#offsetMs))
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#running.then(work, work)
    this.#running = result.catch(() => {})
    return result.finally(() => this.arm())
  }
}
