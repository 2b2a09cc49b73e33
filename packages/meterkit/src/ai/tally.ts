import type { LanguageModelV4GenerateResult, LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider'

/** What is known of one call while it runs. */
export interface Tally {
  text: string
  reasoning: string
  toolInput: string
  /** Set once the provider said what it charges. */
  usage: LanguageModelV4Usage | null
  /** The provider's complaint, or the reason why its answer cannot be whole. */
  error: string | null
  firstTokenMs: number | null
}

export function emptyTally(): Tally {
  return { text: '', reasoning: '', toolInput: '', usage: null, error: null, firstTokenMs: null }
}

export function isEmpty({ text, reasoning, toolInput }: Tally): boolean {
  return text === '' && reasoning === '' && toolInput === ''
}

/** @param elapsedMs since the call began */
export function tallyPart(tally: Tally, part: LanguageModelV4StreamPart, elapsedMs: number): void {
  if (part.type === 'text-delta') tally.text += part.delta
  else if (part.type === 'reasoning-delta') tally.reasoning += part.delta
  else if (part.type === 'tool-input-delta') tally.toolInput += part.delta
  else if (part.type === 'error') tally.error = errorText(part.error)
  else if (part.type === 'finish') {
    tally.usage = part.usage
    tally.error ??= brokenFinish(part.finishReason.unified)
  }
  if (tally.firstTokenMs === null && !isEmpty(tally)) tally.firstTokenMs = elapsedMs
}

export function tallyAnswer(tally: Tally, answer: LanguageModelV4GenerateResult, elapsedMs: number): void {
  for (const part of answer.content) {
    if (part.type === 'text') tally.text += part.text
    else if (part.type === 'reasoning') tally.reasoning += part.text
    else if (part.type === 'tool-call') tally.toolInput += part.input
  }
  tally.usage = answer.usage
  tally.error = brokenFinish(answer.finishReason.unified)
  if (!isEmpty(tally)) tally.firstTokenMs = elapsedMs
}

export function errorText(error: unknown): string {
  if (error instanceof Error) return error.message
  return typeof error === 'string' ? error : JSON.stringify(error)
}

function brokenFinish(reason: string): string | null {
  if (reason === 'error') return 'the provider ended its answer with an error'
  return reason === 'interrupted' ? "the provider's answer broke off" : null
}
