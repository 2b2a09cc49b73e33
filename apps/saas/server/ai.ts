import type { LanguageModelV4 } from '@ai-sdk/provider'
import { type AiUsage, type MeterAi, type ModelPrice, meterAiCalls } from 'meterkit/ai'
import { DEMO_MODEL_ID, providerOf } from './ai-provider.ts'
import type { Config } from './config.ts'
import { demoModel } from './demo-model.ts'
import type { Services } from './services.ts'

export interface Ai {
  model: LanguageModelV4
  /** What people call it: `demo model`, `claude-sonnet-4-5`. */
  modelName: string
  /** Wraps the model for one call, so that it is logged and billed. */
  meter: MeterAi
}

const ANTHROPIC_DEFAULT = 'claude-sonnet-4-5'
const OPENAI_DEFAULT = 'gpt-5-mini'

const OWN_PRICES: Record<string, ModelPrice> = { [DEMO_MODEL_ID]: { input: '0', output: '0' } }

const known = new WeakMap<Services, Promise<Ai>>()

/** The app's model, and the meter around it; the providers' code is loaded at the first call. */
export function aiOf(services: Services): Promise<Ai> {
  const ai = known.get(services) ?? createAi(services)
  known.set(services, ai)
  return ai
}

/** Resolves when every AI call that has ended is recorded and logged: on the way down, before the engine stops. */
export async function aiSettled(services: Services): Promise<void> {
  await (await known.get(services))?.meter.settled()
}

async function createAi({ config, pool, meterkit, log, clock }: Services): Promise<Ai> {
  const recordUsage = ({ callId, inputTokens, outputTokens, ...call }: AiUsage): { id: string } | undefined => {
    const quantity = inputTokens + outputTokens
    if (quantity === 0) return undefined // the provider refused: there is nothing to pay
    const event = meterkit.recordEvent({
      meter: 'ai_tokens',
      id: callId,
      quantity,
      customerId: call.customerId,
      subscriptionId: call.subscriptionId,
      properties: { model: call.model, feature: call.feature ?? null, user: call.userId ?? null },
    })
    event.durable.catch((error: Error) =>
      log.error({ event: event.id, error: error.message }, 'AI usage is not durable'),
    )
    return event
  }
  return {
    ...(await pickModel(config)),
    meter: meterAiCalls({ pool, onUsage: recordUsage, clock, log, prices: OWN_PRICES }),
  }
}

/** `AI_MODEL` if it is set, else what there is a key for, else the demo model. The configuration knows the key is there. */
export async function pickModel(
  config: Pick<Config, 'anthropicApiKey' | 'openaiApiKey' | 'aiModel'>,
): Promise<Pick<Ai, 'model' | 'modelName'>> {
  const { anthropicApiKey, openaiApiKey, aiModel } = config
  const provider = providerOf(aiModel) ?? (anthropicApiKey ? 'anthropic' : openaiApiKey ? 'openai' : 'demo')
  if (provider === 'demo') return { model: demoModel(), modelName: 'demo model' }
  const id = (aiModel ?? '').replace(/^(anthropic|openai)\//, '')
  if (provider === 'anthropic') {
    const { createAnthropic } = await import('@ai-sdk/anthropic')
    const model = createAnthropic({ apiKey: anthropicApiKey! })(id || ANTHROPIC_DEFAULT)
    return { model, modelName: model.modelId }
  }
  const { createOpenAI } = await import('@ai-sdk/openai')
  const model = createOpenAI({ apiKey: openaiApiKey! })(id || OPENAI_DEFAULT)
  return { model, modelName: model.modelId }
}
