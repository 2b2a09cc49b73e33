import type { LanguageModelV4Usage } from '@ai-sdk/provider'
import { add, type Decimal, formatDecimal, multiply, parseDecimal } from '../pricing/decimal.ts'

/** USD per million tokens, plain decimals. */
export interface ModelPrice {
  input: string
  output: string
  /** Input read from the provider's cache; default: as input. */
  cacheRead?: string
  /** Input written to it; default: as input. */
  cacheWrite?: string
}

/**
 * List prices of well-known models, for cost against revenue; never for charging customers.
 * @see https://platform.claude.com/docs/en/about-claude/pricing
 * @see https://platform.openai.com/docs/pricing
 */
const LIST_PRICES: Record<string, ModelPrice> = {
  'claude-opus-4-5': { input: '5', output: '25', cacheRead: '0.5', cacheWrite: '6.25' },
  'claude-opus-4-1': { input: '15', output: '75', cacheRead: '1.5', cacheWrite: '18.75' },
  'claude-sonnet-4-5': { input: '3', output: '15', cacheRead: '0.3', cacheWrite: '3.75' },
  'claude-sonnet-4': { input: '3', output: '15', cacheRead: '0.3', cacheWrite: '3.75' },
  'claude-haiku-4-5': { input: '1', output: '5', cacheRead: '0.1', cacheWrite: '1.25' },
  'claude-3-5-haiku': { input: '0.8', output: '4', cacheRead: '0.08', cacheWrite: '1' },
  'gpt-5': { input: '1.25', output: '10', cacheRead: '0.125' },
  'gpt-5-mini': { input: '0.25', output: '2', cacheRead: '0.025' },
  'gpt-5-nano': { input: '0.05', output: '0.4', cacheRead: '0.005' },
  'gpt-4.1': { input: '2', output: '8', cacheRead: '0.5' },
  'gpt-4.1-mini': { input: '0.4', output: '1.6', cacheRead: '0.1' },
  'gpt-4.1-nano': { input: '0.1', output: '0.4', cacheRead: '0.025' },
  'gpt-4o': { input: '2.5', output: '10', cacheRead: '1.25' },
  'gpt-4o-mini': { input: '0.15', output: '0.6', cacheRead: '0.075' },
  o3: { input: '2', output: '8', cacheRead: '0.5' },
  'o4-mini': { input: '1.1', output: '4.4', cacheRead: '0.275' },
}

/** `claude-sonnet-4-5-20250929`, `gpt-4o-2024-08-06`, `…-latest`: the same model at the same price. */
const VERSION_SUFFIX = /-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest|0)$/

/**
 * What the provider charges for these tokens.
 *
 * @param prices more prices than those known here, or other ones, by model id
 * @returns exact USD as a plain decimal; null for a model without a known price
 */
export function providerCost(
  model: string,
  usage: LanguageModelV4Usage,
  prices: Record<string, ModelPrice> = {},
): string | null {
  const price = priceOf(model, prices)
  if (!price) return null
  const { total: input = 0, cacheRead = 0, cacheWrite = 0 } = usage.inputTokens
  const parts: [tokens: number, perMillion: string][] = [
    [Math.max(input - cacheRead - cacheWrite, 0), price.input],
    [cacheRead, price.cacheRead ?? price.input],
    [cacheWrite, price.cacheWrite ?? price.input],
    [usage.outputTokens.total ?? 0, price.output],
  ]
  const millionths = parts
    .map(([tokens, perMillion]) => multiply(parseDecimal(String(tokens)), parseDecimal(perMillion)))
    .reduce(add, ZERO)
  return formatDecimal({ digits: millionths.digits, scale: millionths.scale + 6 })
}

const ZERO: Decimal = { digits: 0n, scale: 0 }

function priceOf(model: string, prices: Record<string, ModelPrice>): ModelPrice | null {
  for (const id of [model, model.replace(VERSION_SUFFIX, '')]) {
    for (const table of [prices, LIST_PRICES]) {
      if (Object.hasOwn(table, id)) return table[id]!
    }
  }
  return null
}
