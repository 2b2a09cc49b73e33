import { defineBilling } from 'meterkit'

/**
 * What is counted and what it costs. Amounts are in cents; `unitAmount` buys `perUnits` of the meter's unit, and a
 * package that was begun costs its whole price. `npx meterkit provision` brings Stripe in line with this file.
 */
export const billing = defineBilling({
  meters: {
    ai_tokens: { displayName: 'AI tokens', unit: 'tokens' },
  },
  plans: {
    essential: {
      name: 'Essential',
      description: 'For trying things out: small packages, nothing to pay while nothing is used.',
      features: ['AI chat', 'Usage and charges, live', 'Unlimited members'],
      prices: [{ meter: 'ai_tokens', unitAmount: 5, perUnits: 1_000 }],
    },
    business: {
      name: 'Business',
      description: 'For teams that ask every day: a third off each token, in larger packages.',
      features: ['Everything in Essential', 'A third cheaper per token', 'Packages of 15,000 tokens'],
      mostPopular: true,
      prices: [{ meter: 'ai_tokens', unitAmount: 50, perUnits: 15_000 }],
    },
    enterprise: {
      name: 'Enterprise',
      description: 'For products built on it: half the price of Essential at volume.',
      features: ['Everything in Business', 'Half the price of Essential per token', 'Packages of 200,000 tokens'],
      prices: [{ meter: 'ai_tokens', unitAmount: 500, perUnits: 200_000 }],
    },
  },
})

export default billing
