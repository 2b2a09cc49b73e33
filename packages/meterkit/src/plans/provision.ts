import type { Pool } from 'pg'
import type { Stripe } from 'stripe'
import { MeterkitError } from '../errors.ts'
import { isMissing } from '../subscriptions/sync.ts'
import type { Catalog, Meter, Plan, PlanPrice } from './config.ts'
import { METER_METADATA, PLAN_METADATA, priceFromStripe, storePrices } from './prices.ts'
import type { ProvisionResult, ProvisionStep } from './provision-result.ts'

/** How a portal configuration, a product and an event destination of ours are told from others in the account. */
const OWNER_METADATA = 'meterkit'

export const WEBHOOK_EVENTS: Stripe.WebhookEndpointCreateParams.EnabledEvent[] = [
  'checkout.session.completed',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'invoice.created',
  'invoice.updated',
  'invoice.finalized',
  'invoice.finalization_failed',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.voided',
  'invoice.marked_uncollectible',
]
const THIN_EVENTS = ['v1.billing.meter.error_report_triggered', 'v1.billing.meter.no_meter_found']

interface Provisioning {
  /** Where prices are kept for pages; without one they are fetched when first met. */
  pool: Pool | null
  stripe: Stripe
  catalog: Catalog
  dryRun: boolean
  steps: ProvisionStep[]
}

/**
 * Makes the account behind the secret key match the config: meters found by event name, products by our id, prices by
 * lookup key, the portal configuration by metadata, endpoints by address. A second run changes nothing. What Stripe
 * makes immutable is never mutated: a changed price becomes a new one, and the lookup key moves to it.
 */
export async function provision(
  { pool, stripe, catalog }: { pool: Pool | null; stripe: Stripe; catalog: Catalog },
  { dryRun = false, webhookUrl }: { dryRun?: boolean; webhookUrl?: string } = {},
): Promise<ProvisionResult> {
  const provisioning: Provisioning = { pool, stripe, catalog, dryRun, steps: [] }
  const meterIds = await provisionMeters(provisioning)
  const products = new Map<string, string[]>()
  for (const plan of catalog.plans.values()) {
    const product = await provisionProduct(provisioning, plan)
    products.set(product, await provisionPrices(provisioning, plan, product, meterIds))
  }
  await provisionPortal(provisioning, products)
  const webhookSecrets = webhookUrl ? await provisionEndpoints(provisioning, webhookUrl) : []
  const changed = provisioning.steps.some((step) => step.action !== 'unchanged')
  return { steps: provisioning.steps, changed, dryRun, webhookSecrets }
}

async function provisionMeters({ stripe, catalog, dryRun, steps }: Provisioning): Promise<Map<string, string>> {
  const existing = new Map<string, Stripe.Billing.Meter>()
  for await (const meter of stripe.billing.meters.list({ limit: 100 })) {
    const known = existing.get(meter.event_name)
    if (known?.status !== 'active') existing.set(meter.event_name, meter)
  }
  const ids = new Map<string, string>()
  for (const meter of catalog.meters.values()) {
    const found = existing.get(meter.eventName)
    const step = found ? meterDifference(meter, found) : { action: 'create' as const, detail: `sum of ${meter.unit}` }
    let id = found?.id ?? null
    if (!dryRun && !found) id = (await createMeter(stripe, meter)).id
    if (!dryRun && found && found.status !== 'active') await stripe.billing.meters.reactivate(found.id)
    if (!dryRun && found && found.display_name !== meter.displayName) {
      await stripe.billing.meters.update(found.id, { display_name: meter.displayName })
    }
    if (id) ids.set(meter.eventName, id)
    steps.push({ object: 'meter', name: meter.eventName, stripeId: id, ...step })
  }
  return ids
}

function createMeter(stripe: Stripe, meter: Meter): Promise<Stripe.Billing.Meter> {
  return stripe.billing.meters.create({
    display_name: meter.displayName,
    event_name: meter.eventName,
    // a count, too, is reported as a sum: one report carries any number of events
    default_aggregation: { formula: 'sum' },
    customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
    value_settings: { event_payload_key: 'value' },
  })
}

function meterDifference(meter: Meter, found: Stripe.Billing.Meter): Pick<ProvisionStep, 'action' | 'detail'> {
  if (found.default_aggregation.formula !== 'sum') {
    const sentence = `provision: Stripe's meter ${found.id} for ${meter.eventName} aggregates by ${found.default_aggregation.formula}, which cannot be changed; Meterkit needs sum. Give the meter another event name.`
    throw new MeterkitError('invalid_config', sentence, {
      field: `meters.${meter.eventName}`,
      value: found.default_aggregation.formula,
    })
  }
  if (found.status !== 'active') return { action: 'update', detail: 'reactivate' }
  if (found.display_name === meter.displayName) return { action: 'unchanged', detail: '' }
  return { action: 'update', detail: `display name "${found.display_name}" → "${meter.displayName}"` }
}

/** What Stripe prints beside quantities; a product has one, so only where all its meters count the same. */
function unitLabel({ meters }: Catalog, { prices }: Plan): string | null {
  const units = new Set(prices.flatMap((price) => meters.get(price.meter ?? '')?.unit ?? []))
  // at most 12 characters, says Stripe
  return units.size === 1 ? [...units][0]!.slice(0, 12) : null
}

async function provisionProduct({ stripe, catalog, dryRun, steps }: Provisioning, plan: Plan): Promise<string> {
  const unit = unitLabel(catalog, plan)
  const id = `meterkit_${plan.key}`
  const wanted = {
    name: plan.name,
    ...(plan.description ? { description: plan.description } : {}),
    marketing_features: plan.features.map((name) => ({ name })),
    ...(unit ? { unit_label: unit } : {}),
    metadata: { [OWNER_METADATA]: 'plan', [PLAN_METADATA]: plan.key },
  }
  const found = await orNull(stripe.products.retrieve(id))
  if (!found) {
    if (!dryRun) await stripe.products.create({ id, ...wanted })
    steps.push({ object: 'product', name: plan.key, action: 'create', detail: plan.name, stripeId: dryRun ? null : id })
    return id
  }
  const differences = [
    found.name === plan.name ? '' : `name "${found.name}" → "${plan.name}"`,
    (found.description ?? '') === plan.description ? '' : 'description',
    sameTexts(
      (found.marketing_features ?? []).map((feature) => feature.name ?? ''),
      plan.features,
    )
      ? ''
      : 'features',
    (found.unit_label ?? null) === unit ? '' : 'unit label',
    found.active ? '' : 'activate',
  ].filter(Boolean)
  if (differences.length > 0 && !dryRun) {
    await stripe.products.update(id, { ...wanted, description: plan.description || '', active: true })
  }
  const action = differences.length > 0 ? 'update' : 'unchanged'
  steps.push({ object: 'product', name: plan.key, action, detail: differences.join(', '), stripeId: id })
  return id
}

async function provisionPrices(
  { pool, stripe, dryRun, steps }: Provisioning,
  plan: Plan,
  product: string,
  meterIds: Map<string, string>,
): Promise<string[]> {
  const lookupKeys = plan.prices.map((price) => price.lookupKey)
  const { data } = await stripe.prices.list({ lookup_keys: lookupKeys, expand: ['data.tiers'], limit: 100 })
  const found = new Map(data.map((price) => [price.lookup_key, price]))
  const ids: string[] = []
  for (const wanted of plan.prices) {
    const existing = found.get(wanted.lookupKey)
    if (existing && samePrice(existing, wanted, product)) {
      if (!dryRun && pool) await storePrices(pool, [priceFromStripe(existing)])
      ids.push(existing.id)
      steps.push({ object: 'price', name: wanted.lookupKey, action: 'unchanged', detail: '', stripeId: existing.id })
      continue
    }
    const detail = existing
      ? `a new price takes the lookup key from ${existing.id}; its subscribers stay on it`
      : describePrice(wanted)
    const created = dryRun
      ? null
      : await stripe.prices.create({ ...priceParams(plan, wanted, product, meterIds), expand: ['tiers'] })
    if (created) {
      if (pool) await storePrices(pool, [priceFromStripe(created)])
      ids.push(created.id)
    }
    steps.push({
      object: 'price',
      name: wanted.lookupKey,
      action: existing ? 'replace' : 'create',
      detail,
      stripeId: created?.id ?? null,
    })
  }
  return ids
}

function priceParams(
  plan: Plan,
  price: PlanPrice,
  product: string,
  meterIds: Map<string, string>,
): Stripe.PriceCreateParams {
  const common = {
    product,
    currency: price.currency,
    lookup_key: price.lookupKey,
    transfer_lookup_key: true,
    nickname: `${plan.name}${price.meter ? ` ${price.meter}` : ''}`,
    metadata: { [PLAN_METADATA]: plan.key, ...(price.meter ? { [METER_METADATA]: price.meter } : {}) },
  }
  if (price.model === null) {
    return { ...common, unit_amount: Number(price.flatAmount), recurring: { interval: price.interval } }
  }
  const recurring = {
    interval: price.interval,
    usage_type: 'metered' as const,
    meter: meterIds.get(price.meter!)!,
  }
  switch (price.model.type) {
    case 'per_unit':
      return { ...common, recurring, unit_amount_decimal: price.model.unitAmount as unknown as Stripe.Decimal }
    case 'package':
      return {
        ...common,
        recurring,
        unit_amount_decimal: price.model.unitAmount as unknown as Stripe.Decimal,
        transform_quantity: { divide_by: Number(price.model.perUnits), round: price.model.round },
      }
    default:
      return {
        ...common,
        recurring,
        billing_scheme: 'tiered',
        tiers_mode: price.model.type,
        tiers: price.model.tiers.map((tier) => ({
          up_to: tier.upTo === null ? ('inf' as const) : Number(tier.upTo),
          ...(tier.unitAmount === null ? {} : { unit_amount_decimal: tier.unitAmount as unknown as Stripe.Decimal }),
          ...(tier.flatAmount === null ? {} : { flat_amount_decimal: tier.flatAmount as unknown as Stripe.Decimal }),
        })),
      }
  }
}

function samePrice(existing: Stripe.Price, wanted: PlanPrice, product: string): boolean {
  const stored = priceFromStripe(existing)
  const sameModel = JSON.stringify(stored.model) === JSON.stringify(wanted.model)
  return (
    sameModel &&
    existing.product === product &&
    stored.currency === wanted.currency &&
    stored.interval === wanted.interval &&
    stored.meter === wanted.meter &&
    stored.flatAmount === wanted.flatAmount
  )
}

function describePrice({ model, flatAmount, currency, interval }: PlanPrice): string {
  if (model === null) return `${flatAmount} ${currency} cents a ${interval}`
  if (model.type === 'package')
    return `${model.unitAmount} ${currency} minor units per ${model.perUnits}, rounded ${model.round}`
  if (model.type === 'per_unit') return `${model.unitAmount} ${currency} minor units per unit`
  return `${model.tiers.length} ${model.type} tiers in ${currency}`
}

/** Cards, invoices and cancelling. Stripe's portal does not switch metered plans: our own page does. */
async function provisionPortal(
  { stripe, dryRun, steps }: Provisioning,
  products: Map<string, string[]>,
): Promise<void> {
  const features: Stripe.BillingPortal.ConfigurationCreateParams.Features = {
    customer_update: { enabled: true, allowed_updates: ['email', 'name'] },
    invoice_history: { enabled: true },
    payment_method_update: { enabled: true },
    subscription_cancel: { enabled: true, mode: 'at_period_end' },
    subscription_update: {
      enabled: true,
      default_allowed_updates: ['price'],
      proration_behavior: 'create_prorations',
      products: [...products].map(([product, prices]) => ({ product, prices })),
    },
  }
  const fingerprint = JSON.stringify(features)
  let found: Stripe.BillingPortal.Configuration | null = null
  for await (const configuration of stripe.billingPortal.configurations.list({ limit: 100, active: true })) {
    if (configuration.metadata?.[OWNER_METADATA]) found = configuration
  }
  const metadata = { [OWNER_METADATA]: 'portal', ...chunks('features', fingerprint) }
  const unchanged = found && joined(found.metadata ?? {}, 'features') === fingerprint
  const step = { object: 'portal configuration' as const, name: 'customer portal' }
  if (unchanged) {
    steps.push({ ...step, action: 'unchanged', detail: '', stripeId: found!.id })
  } else if (found) {
    if (!dryRun) await stripe.billingPortal.configurations.update(found.id, { features, metadata })
    steps.push({ ...step, action: 'update', detail: 'features', stripeId: found.id })
  } else {
    const created = dryRun ? null : await stripe.billingPortal.configurations.create({ features, metadata })
    steps.push({ ...step, action: 'create', detail: 'cards, invoices, cancelling', stripeId: created?.id ?? null })
  }
}

/** Stripe does not give a configuration back as it was sent, so what was sent is kept in metadata, 500 characters a value. */
function chunks(name: string, text: string): Record<string, string> {
  const parts = text.match(/.{1,500}/gs) ?? []
  return Object.fromEntries(parts.map((part, index) => [`${name}_${index}`, part]))
}

function joined(metadata: Record<string, string>, name: string): string {
  let text = ''
  for (let index = 0; metadata[`${name}_${index}`] !== undefined; index++) text += metadata[`${name}_${index}`]
  return text
}

/** One address, two subscriptions to it: snapshot events, and the thin ones about meters that no classic endpoint gets. */
async function provisionEndpoints({ stripe, dryRun, steps }: Provisioning, url: string): Promise<string[]> {
  const secrets: string[] = []
  let endpoint: Stripe.WebhookEndpoint | null = null
  for await (const candidate of stripe.webhookEndpoints.list({ limit: 100 })) {
    if (candidate.url === url) endpoint = candidate
  }
  if (!endpoint) {
    const created = dryRun
      ? null
      : await stripe.webhookEndpoints.create({
          url,
          enabled_events: WEBHOOK_EVENTS,
          // the SDK's own version: events are rendered in the endpoint's, and its types must not lie
          api_version: stripe.getApiField('version') as Stripe.WebhookEndpointCreateParams.ApiVersion,
          description: 'Meterkit',
        })
    if (created?.secret) secrets.push(created.secret)
    steps.push({
      object: 'webhook endpoint',
      name: url,
      action: 'create',
      detail: `${WEBHOOK_EVENTS.length} event types`,
      stripeId: created?.id ?? null,
    })
  } else {
    const complete =
      WEBHOOK_EVENTS.every((type) => endpoint.enabled_events.includes(type)) && endpoint.status === 'enabled'
    if (!complete && !dryRun) {
      await stripe.webhookEndpoints.update(endpoint.id, { enabled_events: WEBHOOK_EVENTS, disabled: false })
    }
    steps.push({
      object: 'webhook endpoint',
      name: url,
      action: complete ? 'unchanged' : 'update',
      detail: complete ? '' : 'event types',
      stripeId: endpoint.id,
    })
  }
  secrets.push(...(await provisionDestination({ stripe, dryRun, steps }, url)))
  return secrets
}

async function provisionDestination(
  { stripe, dryRun, steps }: Pick<Provisioning, 'stripe' | 'dryRun' | 'steps'>,
  url: string,
): Promise<string[]> {
  const { data } = await stripe.v2.core.eventDestinations.list({ include: ['webhook_endpoint.url'], limit: 100 })
  const found = data.find(
    (destination) => destination.webhook_endpoint?.url === url && destination.event_payload === 'thin',
  )
  if (found) {
    steps.push({ object: 'event destination', name: url, action: 'unchanged', detail: '', stripeId: found.id })
    return []
  }
  const created = dryRun
    ? null
    : await stripe.v2.core.eventDestinations.create({
        name: 'Meterkit meter errors',
        type: 'webhook_endpoint',
        event_payload: 'thin',
        enabled_events: THIN_EVENTS,
        webhook_endpoint: { url },
        include: ['webhook_endpoint.signing_secret'],
      })
  steps.push({
    object: 'event destination',
    name: url,
    action: 'create',
    detail: 'thin events about meters',
    stripeId: created?.id ?? null,
  })
  const secret = created?.webhook_endpoint?.signing_secret
  return secret ? [secret] : []
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index])
}

async function orNull<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
