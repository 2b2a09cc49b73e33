import type { FaultSettings } from './pages/context.ts'

type Counted = { count: number; path?: string }

/** What is to go wrong on purpose. Counts go down as they are used. */
export class Faults {
  #settings: FaultSettings = {}
  #rejections: { count: number; code: string } | undefined

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
    this.#rejections = { count, code }
  }

  clear(): void {
    this.#settings = {}
    this.#rejections = undefined
  }

  /** Whether this fault strikes the request, which uses one of its count. */
  take<K extends 'answer' | 'loseAnswers' | 'dropRequests' | 'delay'>(
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
    if (!this.#rejections || this.#rejections.count <= 0) return undefined
    this.#rejections.count -= 1
    return this.#rejections.code
  }
}

function spend(fault: Counted, path: string): boolean {
  if (fault.count <= 0 || (fault.path !== undefined && !path.startsWith(fault.path))) return false
  fault.count -= 1
  return true
}
