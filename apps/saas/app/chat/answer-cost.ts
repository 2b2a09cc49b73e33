import type { Subscription } from 'meterkit'
import { type PriceModel, priceUsage } from 'meterkit/pricing'
import type { Services } from 'saas/server/services'

const METER = 'ai_tokens'

/** What tokens add to a period that stands where it stood when this was made. */
export interface AnswerPrice {
  currency: string
  /** Minor units: nothing within a package already begun, a whole package for the first token of the next. */
  added: (tokens: number) => bigint
}

/** Null where the subscription's price is none of today's plans'. */
export async function answerPrice(
  { meterkit }: Pick<Services, 'meterkit'>,
  { id, plan: key }: Subscription,
): Promise<AnswerPrice | null> {
  const plan = meterkit.plans().find((candidate) => candidate.key === key)
  const price = plan?.prices.find(({ meter }) => meter === METER)
  if (!price?.model) return null
  const { model, currency } = price
  const upcoming = await meterkit.invoices.upcoming(id)
  const lines = upcoming?.lines.filter(({ current, meter }) => current && meter === METER) ?? []
  // A subscriber may still be on the price of an earlier config.
  if (lines.some((line) => !isSamePrice(model, line))) return null
  const used = lines.reduce((total, line) => total + BigInt(line.quantity.split('.')[0] ?? '0'), 0n)
  const soFar = priceUsage(model, String(used)).amount
  return { currency, added: (tokens) => priceUsage(model, String(used + BigInt(tokens))).amount - soFar }
}

function isSamePrice(model: PriceModel, line: { unitAmount: string; perUnits: string | null }): boolean {
  if (model.type === 'package') return line.unitAmount === model.unitAmount && line.perUnits === model.perUnits
  return model.type !== 'per_unit' || line.unitAmount === model.unitAmount
}
