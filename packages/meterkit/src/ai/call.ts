/** Who a call of a model is made for, and where in the product. */
export interface AiCall {
  customerId: string
  subscriptionId: string
  userId?: string
  organizationId?: string
  /** The part of the product that calls, e.g. `chat`. */
  feature?: string
  conversationId?: string
  /** For the feature itself, e.g. to keep an answer with what it took. Runs after `onUsage`; what it throws is logged. */
  onSettled?: (usage: AiUsage) => void | Promise<void>
}

/**
 * `completed`: the model said so itself. `stopped`: the reader left or pressed stop. `failed`: the provider did
 * not answer, or broke off.
 */
export type AiOutcome = 'completed' | 'stopped' | 'failed'

/** `provider`: as the provider will charge it. `estimated`: counted here, because an answer cut short reports none. */
export type UsageSource = 'provider' | 'estimated'

export interface AiTokens {
  inputTokens: number
  outputTokens: number
  /** The part of the input that came from the provider's cache. */
  cachedTokens: number
  /** The part of the output spent on thinking. */
  reasoningTokens: number
  usageSource: UsageSource
}

/** What one call took, known once it has ended in whatever way. */
export interface AiUsage extends AiTokens, Omit<AiCall, 'onSettled'> {
  /** A UUIDv7 of this call: the idempotency key of the usage it causes. */
  callId: string
  at: Date
  provider: string
  model: string
  /** The answer's text as far as it came. */
  text: string
  outcome: AiOutcome
  errorMessage: string | null
  latencyMs: number
  /** Null when nothing was produced. */
  firstTokenMs: number | null
  /** What the provider charges, exact, in USD; null for a model without a known price. */
  providerCost: string | null
}
