/** Faults to answer with; all off by default. Counts are decremented as they are used; `Infinity` keeps one on. */
export interface FaultSettings {
  /** Answer the next `count` matching requests with this status. `afterWork`: do the work first, then answer so. */
  answer?: { status: 409 | 429 | 500 | 503; count: number; path?: string; afterWork?: boolean }
  /** Do the work, then close the connection without an answer. */
  loseAnswers?: { count: number; path?: string }
  /** Close the connection without doing anything. */
  dropRequests?: { count: number; path?: string }
  /** Answer nothing at all, until the client gives up. */
  hang?: { count: number; path?: string }
  /** Answer only after this long. */
  delay?: { milliseconds: number; count: number; path?: string }
  /** Of first attempts: what is tried again, or resent by hand, goes its way. */
  webhooks?: { mode: 'duplicate' | 'reorder' | 'drop'; count: number }
  /** Decline the next charges, whatever the card. A decline code of Stripe's, e.g. `insufficient_funds`. */
  declines?: { code: string; count: number }
  /** Accept the next meter events and reject them later, by a thin event with this error code. */
  rejections?: { code: string; count: number }
}

type Counted = { count: number; path?: string }

/** What is to go wrong on purpose. Counts go down as they are used. */
export class Faults {
  #settings: FaultSettings = {}

  read(): FaultSettings {
    return structuredClone(this.#settings)
  }

  write(settings: FaultSettings): void {
    this.#settings = structuredClone(settings)
  }

  loseAnswers(count: number, path?: string): void {
    this.#settings.loseAnswers = { count, ...(path !== undefined && { path }) }
  }

  answer(status: 409 | 429 | 500 | 503, count: number, path?: string, afterWork = false): void {
    this.#settings.answer = { status, count, afterWork, ...(path !== undefined && { path }) }
  }

  dropRequests(count: number, path?: string): void {
    this.#settings.dropRequests = { count, ...(path !== undefined && { path }) }
  }

  delay(milliseconds: number, count: number, path?: string): void {
    this.#settings.delay = { milliseconds, count, ...(path !== undefined && { path }) }
  }

  rejectAsynchronously(count: number, code: string): void {
    this.#settings.rejections = { count, code }
  }

  hang(count: number, path?: string): void {
    this.#settings.hang = { count, ...(path !== undefined && { path }) }
  }

  declineCharges(count: number, code: string): void {
    this.#settings.declines = { count, code }
  }

  clear(): void {
    this.#settings = {}
  }

  /** Whether this fault strikes the request, which uses one of its count. */
  take<K extends 'answer' | 'loseAnswers' | 'dropRequests' | 'hang' | 'delay'>(
    kind: K,
    path: string,
  ): FaultSettings[K] | undefined {
    const fault = this.#settings[kind]
    return fault && spend(fault, path) ? fault : undefined
  }

  takeWebhook(): 'duplicate' | 'reorder' | 'drop' | undefined {
    const fault = this.#settings.webhooks
    if (!fault || fault.count <= 0) return undefined
    fault.count -= 1
    return fault.mode
  }

  takeRejection(): string | undefined {
    return spendCode(this.#settings.rejections)
  }

  /** The decline code that the next charge is to fail with, if any. */
  takeDecline(): string | undefined {
    return spendCode(this.#settings.declines)
  }
}

function spendCode(fault: { count: number; code: string } | undefined): string | undefined {
  if (!fault || fault.count <= 0) return undefined
  fault.count -= 1
  return fault.code
}

function spend(fault: Counted, path: string): boolean {
  if (fault.count <= 0 || (fault.path !== undefined && !path.startsWith(fault.path))) return false
  fault.count -= 1
  return true
}
