import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogOf, defineBilling } from 'meterkit'
import { costOf, offersOf } from './offer.ts'

const config = defineBilling({
  meters: {
    ai_tokens: { displayName: 'AI tokens', unit: 'tokens' },
    storage: { displayName: 'Storage', unit: 'hours' },
  },
  plans: {
    essential: { name: 'Essential', prices: [{ meter: 'ai_tokens', unitAmount: 5, perUnits: 1000 }] },
    business: { name: 'Business', prices: [{ meter: 'ai_tokens', unitAmount: 50, perUnits: 15_000 }] },
    archive: {
      name: 'Archive',
      prices: [
        { flatAmount: 900 },
        {
          meter: 'storage',
          tiersMode: 'graduated',
          tiers: [
            { upTo: 10, unitAmount: 20 },
            { upTo: 'inf', unitAmount: '0.5', flatAmount: 100 },
          ],
        },
      ],
    },
  },
})
const { meters, plans } = catalogOf(config)
const offers = offersOf([...plans.values()], [...meters.values()])
const offer = (key: string) => offers.find((candidate) => candidate.key === key)?.prices

test('panels of one meter speak of the same usage, a hundred of the smallest package', () => {
  // 100,000 tokens: 100 × $0.05, and 7 packages of 15,000 × $0.50
  assert.deepEqual(offer('essential'), [
    { amount: '$0.05', per: 'per 1,000 tokens', example: '100,000 tokens → $5.00', tiers: [] },
  ])
  assert.deepEqual(offer('business'), [
    { amount: '$0.50', per: 'per 15,000 tokens', example: '100,000 tokens → $3.50', tiers: [] },
  ])
})

test('a flat amount and tiers are told in words', () => {
  // 100 hours: 10 × $0.20 + 90 × $0.005 + $1.00 flat
  assert.deepEqual(offer('archive'), [
    { amount: '$9.00', per: 'per month', example: null, tiers: [] },
    {
      amount: '$0.20',
      per: 'per hour to begin with',
      example: '100 hours → $3.45',
      tiers: ['Up to 10 hours: $0.20 per hour', 'Beyond: $0.005 per hour + $1.00 flat'],
    },
  ])
})

test('the cost of a usage on another plan counts only that plan’s meters', () => {
  const usage = new Map([['ai_tokens', '12345']])
  const cases: [plan: string, cents: bigint][] = [
    ['essential', 65n], // 13 packages begun
    ['business', 50n], // one of 15,000
    ['archive', 900n], // its flat amount; the first tier has none, so unused storage is free
  ]
  for (const [key, cents] of cases) assert.equal(costOf(plans.get(key)!, usage), cents, key)
})
