import type { Stripe } from 'stripe'
import { type Database, rows } from '../database/database.ts'
import type { PriceModel, Tier } from '../pricing/price-usage.ts'
import type { Price } from '../subscriptions/subscription.ts'

const COLUMNS = `stripe_id as "stripeId", lookup_key as "lookupKey", plan, meter, currency, "interval", model,
  flat_amount as "flatAmount"`

/** The metadata by which we find our own prices and products again. */
export const PLAN_METADATA = 'meterkit_plan'
export const METER_METADATA = 'meterkit_meter'

/** Where Stripe's answers carry decimals: a `Stripe.Decimal` in some places, a string in others. */
export function decimalText(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

/** @param price  with `tiers` expanded where it is tiered */
export function priceFromStripe(price: Stripe.Price): Price {
  const metered = price.recurring?.usage_type === 'metered'
  return {
    stripeId: price.id,
    lookupKey: price.lookup_key,
    plan: price.metadata[PLAN_METADATA] ?? null,
    meter: metered ? (price.metadata[METER_METADATA] ?? null) : null,
    currency: price.currency,
    interval: price.recurring?.interval ?? 'month',
    model: metered ? modelFromStripe(price) : null,
    flatAmount: metered ? null : BigInt(price.unit_amount ?? 0),
  }
}

function modelFromStripe(price: Stripe.Price): PriceModel {
  if (price.billing_scheme === 'tiered') {
    const tiers: Tier[] = (price.tiers ?? []).map((tier) => ({
      upTo: tier.up_to === null ? null : String(tier.up_to),
      unitAmount: decimalText(tier.unit_amount_decimal ?? tier.unit_amount),
      flatAmount: decimalText(tier.flat_amount_decimal ?? tier.flat_amount),
    }))
    return { type: price.tiers_mode === 'volume' ? 'volume' : 'graduated', tiers }
  }
  const unitAmount = decimalText(price.unit_amount_decimal ?? price.unit_amount) ?? '0'
  const transform = price.transform_quantity
  if (!transform) return { type: 'per_unit', unitAmount }
  return {
    type: 'package',
    unitAmount,
    perUnits: String(transform.divide_by),
    round: transform.round === 'down' ? 'down' : 'up',
  }
}

export async function storePrices(db: Database, prices: readonly Price[]): Promise<void> {
  for (const price of prices) {
    await db.query(
      /* sql */ `
      insert into billing.prices (stripe_id, lookup_key, plan, meter, currency, "interval", model, flat_amount)
      values ($1, $2, $3, $4, $5, $6, $7, $8)
      on conflict (stripe_id) do update set lookup_key = excluded.lookup_key, plan = excluded.plan, meter = excluded.meter`,
      [
        price.stripeId,
        price.lookupKey,
        price.plan,
        price.meter,
        price.currency,
        price.interval,
        price.model && JSON.stringify(price.model),
        price.flatAmount,
      ],
    )
  }
}

export async function getPrices(db: Database, stripeIds: readonly string[]): Promise<Map<string, Price>> {
  const found = await rows<Omit<Price, 'flatAmount'> & { flatAmount: string | null }>(
    db,
    `select ${COLUMNS} from billing.prices where stripe_id = any ($1)`,
    [stripeIds],
  )
  return new Map(
    found.map((row) => [row.stripeId, { ...row, flatAmount: row.flatAmount === null ? null : BigInt(row.flatAmount) }]),
  )
}

/** Prices by Stripe id, those not met before fetched and kept: a price never changes its amount. */
export async function knownPrices(
  { db, stripe }: { db: Database; stripe: Stripe },
  stripeIds: readonly string[],
): Promise<Map<string, Price>> {
  const known = await getPrices(db, stripeIds)
  for (const id of stripeIds) {
    if (known.has(id)) continue
    const price = priceFromStripe(await stripe.prices.retrieve(id, { expand: ['tiers'] }))
    await storePrices(db, [price])
    known.set(id, price)
  }
  return known
}
