import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import { wrapLanguageModel } from 'ai'
import type { Pool } from 'pg'
import { v7 as uuidv7 } from 'uuid'
import type { Logger } from '../logger.ts'
import type { AiCall, AiOutcome, AiTokens, AiUsage } from './call.ts'
import { type CountTokens, countPromptTokens, countTokens, tolerant } from './count-tokens.ts'
import { type ModelPrice, providerCost } from './provider-cost.ts'
import { insertAiCall } from './store.ts'
import { emptyTally, errorText, isEmpty, type Tally, tallyAnswer, tallyPart } from './tally.ts'

export interface MeterAiCallsOptions {
  pool: Pool
  /**
   * Exactly once for every call, however it ends; usually `recordEvent` with `id: callId`. The id of what it returns
   * is kept with the log. What it throws never reaches the answer: it is logged and kept as `usage_error`.
   */
  onUsage: (usage: AiUsage) => UsageReceipt | Promise<UsageReceipt>
  /** Default `() => new Date()`. */
  clock?: () => Date
  log?: Logger
  /** For answers cut short; default: the tokenizer of current models, loaded when first used. */
  countTokens?: CountTokens
  /** Prices of models, by id, that are not known or are other than the list price. */
  prices?: Record<string, ModelPrice>
}

type UsageReceipt = { id: string } | undefined

/** Gives back the model, metered for this call; use it wherever the AI SDK takes a model. */
export interface MeterAi {
  (model: LanguageModelV4, call: AiCall): LanguageModelV4
  /** Resolves when every call that has ended is counted and logged: before the database is closed. */
  settled: () => Promise<void>
}

/**
 * Meters language models: each call through the returned function is logged in `billing.ai_call_logs`, and its
 * tokens are handed to `onUsage` exactly once, without the feature's author doing anything. Also when the reader
 * stops midway or the connection drops: pass `abortSignal: request.signal` to the AI SDK, so that this is noticed.
 *
 * Usage comes first and the log second: a database that is away costs the log line, never the usage or the answer.
 */
export function meterAiCalls(options: MeterAiCallsOptions): MeterAi {
  const unsettled = new Set<Promise<void>>()
  const track = (settling: Promise<void>): void => {
    unsettled.add(settling)
    void settling.finally(() => unsettled.delete(settling))
  }

  const meter = (model: LanguageModelV4, call: AiCall): LanguageModelV4 =>
    wrapLanguageModel({
      model,
      middleware: {
        specificationVersion: 'v4',
        async wrapGenerate({ doGenerate, params }) {
          const running = beginCall(options, model, call, params, track)
          try {
            const answer = await doGenerate()
            running.opened()
            tallyAnswer(running.tally, answer, running.elapsedMs())
            running.end(running.tally.error === null ? 'completed' : 'failed')
            return answer
          } catch (error) {
            running.fail(error)
            throw error
          }
        },
        async wrapStream({ doStream, params }) {
          const running = beginCall(options, model, call, params, track)
          try {
            const answer = await doStream()
            running.opened()
            return { ...answer, stream: watched(answer.stream, running) }
          } catch (error) {
            running.fail(error)
            throw error
          }
        },
      },
    })

  return Object.assign(meter, {
    settled: async () => {
      while (unsettled.size > 0) await Promise.all(unsettled)
    },
  })
}

interface RunningCall {
  tally: Tally
  elapsedMs: () => number
  /** The provider has begun to answer: it charges the input from here on. */
  opened: () => void
  /** The first call counts, later ones do nothing. */
  end: (outcome: AiOutcome) => void
  fail: (error: unknown) => void
}

/** A call ends once: by its finish, an error, the reader leaving or the abort signal, whichever comes first. */
function beginCall(
  options: MeterAiCallsOptions,
  model: LanguageModelV4,
  call: AiCall,
  { abortSignal, prompt }: LanguageModelV4CallOptions,
  track: (settling: Promise<void>) => void,
): RunningCall {
  const { clock = () => new Date() } = options
  const at = clock()
  const callId = uuidv7({ msecs: at.getTime() })
  const startedAt = performance.now()
  const elapsedMs = () => Math.round(performance.now() - startedAt)
  const tally = emptyTally()
  let opened = false
  let ended = false

  const end = (outcome: AiOutcome): void => {
    if (ended) return
    ended = true
    abortSignal?.removeEventListener('abort', stop)
    const { onSettled, ...subject } = call
    const facts = {
      ...subject,
      callId,
      at,
      provider: model.provider,
      model: model.modelId,
      text: tally.text,
      outcome,
      errorMessage: outcome === 'failed' ? tally.error : null,
      latencyMs: elapsedMs(),
      firstTokenMs: tally.firstTokenMs,
    }
    const nothingOwed = !opened || (outcome === 'failed' && isEmpty(tally))
    const counted = reportedTokens(tally.usage) ?? countedTokens(tally, nothingOwed ? [] : prompt, options.countTokens)
    track(settle(options, facts, counted, tally.usage, onSettled))
  }
  const stop = () => end('stopped')
  abortSignal?.addEventListener('abort', stop, { once: true })

  return {
    tally,
    elapsedMs,
    opened: () => {
      opened = true
    },
    end,
    fail: (error) => {
      tally.error = errorText(error)
      end(abortSignal?.aborted ? 'stopped' : 'failed')
    },
  }
}

/** Passes the answer on as it comes, and sees how it ends. */
function watched(
  source: ReadableStream<LanguageModelV4StreamPart>,
  call: RunningCall,
): ReadableStream<LanguageModelV4StreamPart> {
  const reader = source.getReader()
  return new ReadableStream<LanguageModelV4StreamPart>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) {
            call.tally.error ??= call.tally.usage ? null : 'the provider ended its answer without saying so'
            call.end(call.tally.error === null ? 'completed' : 'failed')
            controller.close()
            return
          }
          tallyPart(call.tally, value, call.elapsedMs())
          // Before the reader sees it: whoever then looks at the bill finds this answer on it.
          if (value.type === 'finish') call.end(call.tally.error === null ? 'completed' : 'failed')
          controller.enqueue(value)
        } catch (error) {
          call.fail(error)
          controller.error(error)
        }
      },
      async cancel(reason) {
        // A reader also leaves when the provider has sent an error.
        call.end(call.tally.error === null ? 'stopped' : 'failed')
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

type CallFacts = Omit<AiUsage, keyof AiTokens | 'providerCost'>

/** Runs without a pause up to `onUsage` where the provider has told the tokens. Never rejects. */
async function settle(
  options: MeterAiCallsOptions,
  facts: CallFacts,
  counted: AiTokens | Promise<AiTokens>,
  reported: LanguageModelV4Usage | null,
  onSettled: AiCall['onSettled'],
): Promise<void> {
  const tokens = counted instanceof Promise ? await counted : counted
  const cost = providerCost(
    facts.model,
    tokens.usageSource === 'provider' && reported ? reported : asUsage(tokens),
    options.prices,
  )
  const usage: AiUsage = { ...facts, ...tokens, providerCost: cost }
  const { callId, customerId } = facts

  let eventId: string | null = null
  let usageError: string | null = null
  try {
    eventId = (await options.onUsage(usage))?.id ?? null
  } catch (error) {
    usageError = errorText(error)
    options.log?.error(
      { callId, customerId, error: usageError },
      'AI usage could not be recorded: this call is not billed',
    )
  }
  try {
    await onSettled?.(usage)
  } catch (error) {
    options.log?.error({ callId, customerId, error: errorText(error) }, 'onSettled of an AI call failed')
  }
  try {
    await insertAiCall(options.pool, { ...usage, eventId, usageError })
  } catch (error) {
    options.log?.error({ callId, customerId, error: errorText(error) }, 'an AI call could not be logged; its usage was')
  }
}

function reportedTokens(usage: LanguageModelV4Usage | null): AiTokens | null {
  const { total: inputTokens, cacheRead: cachedTokens = 0 } = usage?.inputTokens ?? {}
  const { total: outputTokens, reasoning: reasoningTokens = 0 } = usage?.outputTokens ?? {}
  if (inputTokens === undefined || outputTokens === undefined) return null
  return { inputTokens, outputTokens, cachedTokens, reasoningTokens, usageSource: 'provider' }
}

/** @param prompt as far as the provider charges it */
async function countedTokens(
  { text, reasoning, toolInput }: Tally,
  prompt: LanguageModelV4CallOptions['prompt'],
  count: CountTokens = countTokens,
): Promise<AiTokens> {
  const tokensOf = tolerant(count)
  const inputTokens = await countPromptTokens(prompt, tokensOf)
  const reasoningTokens = await tokensOf(reasoning)
  const outputTokens = (await tokensOf(text)) + (await tokensOf(toolInput)) + reasoningTokens
  return { inputTokens, outputTokens, cachedTokens: 0, reasoningTokens, usageSource: 'estimated' }
}

function asUsage({ inputTokens, outputTokens, reasoningTokens }: AiTokens): LanguageModelV4Usage {
  return {
    inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: outputTokens, text: outputTokens - reasoningTokens, reasoning: reasoningTokens },
  }
}
