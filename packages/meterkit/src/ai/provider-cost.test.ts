import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LanguageModelV4Usage } from '@ai-sdk/provider'
import { providerCost } from './provider-cost.ts'

const usage = (input: number, output: number, cacheRead = 0, cacheWrite = 0): LanguageModelV4Usage => ({
  inputTokens: { total: input, noCache: input - cacheRead - cacheWrite, cacheRead, cacheWrite },
  outputTokens: { total: output, text: output, reasoning: 0 },
})

test('a provider charges by the million, exactly', () => {
  const cases: [model: string, usage: LanguageModelV4Usage, usd: string | null][] = [
    ['claude-sonnet-4-5', usage(1000, 100), '0.0045'], // 1,000 × 3 + 100 × 15 = 4,500 millionths
    ['claude-sonnet-4-5-20250929', usage(1000, 100), '0.0045'], // the same model by its date
    ['claude-sonnet-4-5', usage(1000, 0, 600, 100), '0.001455'], // 300 × 3 + 600 × 0.3 + 100 × 3.75 = 1,455 millionths
    ['gpt-5-nano', usage(1, 1), '0.00000045'], // 0.05 + 0.4 millionths: no float, no exponent
    ['gpt-4o-2024-08-06', usage(3, 0, 1), '0.00000625'], // 2 × 2.5 + 1 × 1.25
    ['gpt-5', usage(0, 0), '0'],
    ['gpt-5-pro', usage(1000, 100), null], // not gpt-5
    ['constructor', usage(1000, 100), null], // no property of every object
  ]
  for (const [model, used, usd] of cases) assert.equal(providerCost(model, used), usd, model)
})

test('prices of the caller come before the list', () => {
  const prices = { 'gpt-5': { input: '1', output: '2' }, own: { input: '0', output: '0' } }
  assert.equal(providerCost('gpt-5', usage(10, 10), prices), '0.00003')
  assert.equal(providerCost('own', usage(10, 10), prices), '0')
})
