import type { FaultSettings } from './pages/context.ts'

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
