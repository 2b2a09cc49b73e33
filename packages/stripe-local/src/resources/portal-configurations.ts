import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import { refuse } from '../http/errors.ts'
import {
  flag,
  integer,
  list,
  type Metadata,
  mergedMetadata,
  metadata,
  oneOf,
  type Params,
  required,
  shape,
  text,
  unsettable,
  webAddress,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import type { Price } from './prices.ts'
import type { Product } from './products.ts'

/** What customers may do in the portal, as `features` names it. */
export interface PortalFeatures {
  customer_update: { allowed_updates: CustomerField[]; enabled: boolean }
  invoice_history: { enabled: boolean }
  payment_method_update: { enabled: boolean; payment_method_configuration: null }
  subscription_cancel: {
    cancellation_reason: { enabled: boolean; feedback_options: null; options: string[] }
    enabled: boolean
    mode: 'at_period_end' | 'immediately'
    proration_behavior: 'always_invoice' | 'create_prorations' | 'none'
  }
  subscription_pause: {
    duration: { interval_options: PauseInterval[]; type: 'indefinite' | 'interval_options' }
    enabled: boolean
  }
  subscription_update: {
    billing_cycle_anchor: 'now' | 'unchanged' | null
    default_allowed_updates: ('price' | 'promotion_code' | 'quantity')[]
    enabled: boolean
    products: PortalProduct[]
    proration_behavior: 'always_invoice' | 'create_prorations' | 'none'
    schedule_at_period_end: { conditions: { type: 'decreasing_item_amount' | 'shortening_interval' }[] }
    trial_update_behavior: 'continue_trial' | 'end_trial'
  }
}
type CustomerField = 'address' | 'email' | 'name' | 'phone' | 'shipping' | 'tax_id'
interface PauseInterval {
  interval: 'day' | 'month' | 'week' | 'year'
  interval_count: number
}
export interface PortalProduct {
  adjustable_quantity: { enabled: boolean; maximum: number | null; minimum: number }
  prices: string[]
  product: string
}

export interface PortalConfiguration extends Stored {
  object: 'billing_portal.configuration'
  active: boolean
  application: null
  business_profile: { headline: string | null; privacy_policy_url: string | null; terms_of_service_url: string | null }
  default_return_url: string | null
  features: PortalFeatures
  is_default: boolean
  livemode: false
  login_page: { enabled: boolean; url: string | null }
  metadata: Metadata
  name: string | null
  updated: number
}

/** `products` is only shown when `features.subscription_update.products` is expanded, as Stripe does it. */
export const portalConfiguration: Kind = {
  type: 'billing_portal.configuration',
  noun: 'configuration',
  present: (_account, stored: PortalConfiguration): Wire => {
    const { products: _hidden, ...update } = stored.features.subscription_update
    return { ...visible(stored), features: { ...stored.features, subscription_update: update } }
  },
  onExpand: {
    'features.subscription_update.products': (_account, stored: PortalConfiguration) =>
      stored.features.subscription_update.products,
  },
}

const REASONS = [
  'customer_service',
  'low_quality',
  'missing_features',
  'other',
  'switched_service',
  'too_complex',
  'too_expensive',
  'unused',
] as const
const DEFAULT_REASONS = ['too_expensive', 'missing_features', 'switched_service', 'unused', 'other']
const PRODUCTS_MAX = 10
const YEARS_MAX = 3
const PER_YEAR = { day: 365, week: 52, month: 12, year: 1 }

const prorations = oneOf('always_invoice', 'create_prorations', 'none')
const customerFields = unsettable(list(oneOf('address', 'email', 'name', 'phone', 'shipping', 'tax_id')))
const reasons = unsettable(list(oneOf(...REASONS)))
const pause = shape({
  duration: shape({
    type: required(oneOf('indefinite', 'interval_options')),
    interval_options: unsettable(
      list(shape({ interval: required(oneOf('day', 'month', 'week', 'year')), interval_count: integer({ min: 1 }) })),
    ),
  }),
  enabled: flag(),
})
const cancelRules = {
  mode: oneOf('at_period_end', 'immediately'),
  proration_behavior: prorations,
}
const updateRules = {
  billing_cycle_anchor: oneOf('now', 'unchanged'),
  default_allowed_updates: unsettable(list(oneOf('price', 'promotion_code', 'quantity'))),
  products: unsettable(
    list(
      shape({
        product: required(text()),
        prices: required(list(text())),
        adjustable_quantity: shape({
          enabled: required(flag()),
          maximum: integer({ min: 1 }),
          minimum: integer({ min: 0 }),
        }),
      }),
    ),
  ),
  proration_behavior: prorations,
  schedule_at_period_end: shape({
    conditions: unsettable(list(shape({ type: required(oneOf('decreasing_item_amount', 'shortening_interval')) }))),
  }),
  trial_update_behavior: oneOf('continue_trial', 'end_trial'),
}

const createdFeatures = shape({
  customer_update: shape({ enabled: required(flag()), allowed_updates: customerFields }),
  invoice_history: shape({ enabled: required(flag()) }),
  payment_method_update: shape({ enabled: required(flag()) }),
  subscription_cancel: shape({
    enabled: required(flag()),
    ...cancelRules,
    cancellation_reason: shape({ enabled: required(flag()), options: required(reasons) }),
  }),
  subscription_pause: pause,
  subscription_update: shape({ enabled: required(flag()), ...updateRules }),
})
const featureRules = {
  customer_update: shape({ enabled: flag(), allowed_updates: customerFields }),
  invoice_history: shape({ enabled: required(flag()) }),
  payment_method_update: shape({ enabled: required(flag()) }),
  subscription_cancel: shape({
    enabled: flag(),
    ...cancelRules,
    cancellation_reason: shape({ enabled: required(flag()), options: reasons }),
  }),
  subscription_pause: pause,
  subscription_update: shape({ enabled: flag(), ...updateRules }),
}
type Features = Params<typeof featureRules>

const configurable = {
  default_return_url: unsettable(webAddress()),
  login_page: shape({ enabled: required(flag()) }),
  metadata: metadata(),
  name: unsettable(text()),
}

export const portalConfigurationRoutes = [
  route(
    'POST',
    '/v1/billing_portal/configurations',
    {
      ...configurable,
      business_profile: shape({
        headline: unsettable(text({ max: 60 })),
        privacy_policy_url: webAddress(),
        terms_of_service_url: webAddress(),
      }),
      features: required(createdFeatures),
    },
    (account, params) => {
      const created = account.seconds()
      const id = newId('bpc')
      const features = featuresFrom(params.features)
      checkFeatures(account, features)
      const made = account.create<PortalConfiguration>(
        {
          id,
          object: 'billing_portal.configuration',
          active: true,
          application: null,
          business_profile: {
            headline: null,
            privacy_policy_url: null,
            terms_of_service_url: null,
            ...params.business_profile,
          },
          created,
          default_return_url: params.default_return_url ?? null,
          features,
          is_default: account.readings.firstPortalConfigurationIsDefault && !hasDefault(account),
          livemode: false,
          login_page: loginPage(account, id, params.login_page?.enabled ?? false),
          metadata: mergedMetadata({}, params.metadata),
          name: params.name ?? null,
          updated: created,
        },
        'billing_portal.configuration.created',
      )
      return account.present(made)
    },
  ),

  route(
    'GET',
    '/v1/billing_portal/configurations',
    { ...paging, active: flag(), is_default: flag() },
    (account, params) => {
      const where = { '$.active': params.active, '$.is_default': params.is_default }
      const url = '/v1/billing_portal/configurations'
      return listPage<PortalConfiguration>(account, 'billing_portal.configuration', url, params, { where })
    },
  ),

  route('GET', '/v1/billing_portal/configurations/:id', {}, (account, _params, { id }) =>
    account.present(account.get<PortalConfiguration>('billing_portal.configuration', id!)),
  ),

  route(
    'POST',
    '/v1/billing_portal/configurations/:id',
    {
      ...configurable,
      active: flag(),
      business_profile: shape({
        headline: unsettable(text({ max: 60 })),
        privacy_policy_url: unsettable(webAddress()),
        terms_of_service_url: unsettable(webAddress()),
      }),
      features: shape(featureRules),
    },
    (account, { metadata: sent, business_profile: profile, login_page: login, features: given, ...params }, { id }) => {
      const before = account.get<PortalConfiguration>('billing_portal.configuration', id!)
      const features = given ? featuresFrom(given, before.features) : before.features
      if (given) checkFeatures(account, features)
      const changes = {
        ...params,
        ...(profile && { business_profile: { ...before.business_profile, ...profile } }),
        ...(login && { login_page: loginPage(account, before.id, login.enabled) }),
        features,
        metadata: mergedMetadata(before.metadata, sent),
        updated: account.seconds(),
      }
      return account.present(account.change(before, changes, 'billing_portal.configuration.updated'))
    },
  ),
]

/** The configuration a session asks for, or the account's default. @throws ApiError 400 */
export function configurationFor(account: Account, id: string | undefined): PortalConfiguration {
  if (id !== undefined) {
    const named = account.reference<PortalConfiguration>('billing_portal.configuration', id, 'configuration')
    if (named.active) return named
    throw refuse(`The configuration ${id} is inactive, so it cannot be used to create a portal session.`, {
      param: 'configuration',
    })
  }
  const found = defaultConfiguration(account)
  if (found) return found
  throw refuse(
    'No configuration provided and your test mode default configuration has not been created. Provide a configuration or create your default by saving your customer portal settings in test mode at https://dashboard.stripe.com/test/settings/billing/portal.',
  )
}

function defaultConfiguration(account: Account): PortalConfiguration | undefined {
  const where = { '$.is_default': true, '$.active': true }
  return account.objects.all<PortalConfiguration>('billing_portal.configuration', where)[0]
}

function hasDefault(account: Account): boolean {
  return account.objects.all('billing_portal.configuration', { '$.is_default': true }).length > 0
}

function loginPage(account: Account, id: string, enabled: boolean): PortalConfiguration['login_page'] {
  return { enabled, url: enabled ? `${account.baseUrl()}/p/login/${id}` : null }
}

function checkFeatures(account: Account, features: PortalFeatures): void {
  const { subscription_cancel: cancel, subscription_pause: pausing, subscription_update: update } = features
  if (update.enabled && !features.payment_method_update.enabled)
    throw refuse('Cannot enable subscription updates while payment method update is disabled.')
  if (cancel.proration_behavior === 'always_invoice') {
    throw refuse('`always_invoice` is not supported for `features[subscription_cancel][proration_behavior]`.', {
      param: 'features[subscription_cancel][proration_behavior]',
    })
  }
  if (cancel.proration_behavior === 'create_prorations' && cancel.mode !== 'immediately') {
    throw refuse('Prorations are only possible when `features[subscription_cancel][mode]` is `immediately`.', {
      param: 'features[subscription_cancel][proration_behavior]',
    })
  }
  checkPause(pausing.duration)
  if (update.products.length > PRODUCTS_MAX) {
    throw refuse(`You can have at most ${PRODUCTS_MAX} products in \`features[subscription_update][products]\`.`, {
      param: 'features[subscription_update][products]',
    })
  }
  for (const [index, product] of update.products.entries())
    checkProduct(account, product, `features[subscription_update][products][${index}]`)
}

function checkPause({ type, interval_options: options }: PortalFeatures['subscription_pause']['duration']): void {
  const param = 'features[subscription_pause][duration][interval_options]'
  if (type === 'interval_options' && options.length === 0)
    throw refuse(`\`${param}\` is required when \`type\` is \`interval_options\`.`, { param })
  for (const { interval, interval_count: count } of options) {
    if (count > PER_YEAR[interval] * YEARS_MAX) throw refuse(`A pause can last at most ${YEARS_MAX} years.`, { param })
  }
}

function checkProduct(account: Account, given: PortalProduct, param: string): void {
  account.reference<Product>('product', given.product, `${param}[product]`)
  const intervals = given.prices.map((id, index) => {
    const price = account.reference<Price>('price', id, `${param}[prices][${index}]`)
    const refused = (message: string) => refuse(message, { param: `${param}[prices][${index}]` })
    if (price.product !== given.product)
      throw refused(`The price ${price.id} does not belong to the product ${given.product}.`)
    if (!price.recurring) throw refused(`The price ${price.id} is not recurring.`)
    return `${price.recurring.interval_count} ${price.recurring.interval} ${price.currency}`
  })
  if (new Set(intervals).size < intervals.length) {
    throw refuse(
      `The product ${given.product} has multiple prices with the same recurring interval. Only one price per interval is allowed.`,
      { param: `${param}[prices]` },
    )
  }
  const { minimum, maximum } = given.adjustable_quantity
  if (maximum !== null && maximum < minimum) {
    throw refuse('The maximum quantity must not be smaller than the minimum quantity.', {
      param: `${param}[adjustable_quantity][maximum]`,
    })
  }
}

/** What is sent over what was before; what neither says is Stripe's default. An emptied list is empty. */
function featuresFrom(given: Features, before: PortalFeatures = NOTHING): PortalFeatures {
  const { subscription_cancel: cancel, subscription_update: update, subscription_pause: pausing } = given
  const reason = cancel?.cancellation_reason
  const was = before.subscription_update
  return {
    customer_update: {
      allowed_updates: listed(given.customer_update?.allowed_updates, before.customer_update.allowed_updates),
      enabled: given.customer_update?.enabled ?? before.customer_update.enabled,
    },
    invoice_history: given.invoice_history ?? before.invoice_history,
    payment_method_update: { ...before.payment_method_update, ...given.payment_method_update },
    subscription_cancel: {
      cancellation_reason: {
        enabled: reason?.enabled ?? before.subscription_cancel.cancellation_reason.enabled,
        feedback_options: null,
        options: listed(reason?.options, before.subscription_cancel.cancellation_reason.options),
      },
      enabled: cancel?.enabled ?? before.subscription_cancel.enabled,
      mode: cancel?.mode ?? before.subscription_cancel.mode,
      proration_behavior: cancel?.proration_behavior ?? before.subscription_cancel.proration_behavior,
    },
    subscription_pause: {
      duration: pausing?.duration ? durationFrom(pausing.duration) : before.subscription_pause.duration,
      enabled: pausing?.enabled ?? before.subscription_pause.enabled,
    },
    subscription_update: {
      billing_cycle_anchor: update?.billing_cycle_anchor ?? was.billing_cycle_anchor,
      default_allowed_updates: listed(update?.default_allowed_updates, was.default_allowed_updates),
      enabled: update?.enabled ?? was.enabled,
      products: update?.products === undefined ? was.products : (update.products ?? []).map(productFrom),
      proration_behavior: update?.proration_behavior ?? was.proration_behavior,
      schedule_at_period_end: {
        conditions: listed(update?.schedule_at_period_end?.conditions, was.schedule_at_period_end.conditions),
      },
      trial_update_behavior: update?.trial_update_behavior ?? was.trial_update_behavior,
    },
  }
}

const NOTHING: PortalFeatures = {
  customer_update: { allowed_updates: [], enabled: false },
  invoice_history: { enabled: false },
  payment_method_update: { enabled: false, payment_method_configuration: null },
  subscription_cancel: {
    cancellation_reason: { enabled: false, feedback_options: null, options: DEFAULT_REASONS },
    enabled: false,
    mode: 'at_period_end',
    proration_behavior: 'none',
  },
  subscription_pause: {
    duration: { interval_options: [{ interval: 'month', interval_count: 1 }], type: 'interval_options' },
    enabled: false,
  },
  subscription_update: {
    billing_cycle_anchor: 'unchanged',
    default_allowed_updates: [],
    enabled: false,
    products: [],
    proration_behavior: 'none',
    schedule_at_period_end: { conditions: [] },
    trial_update_behavior: 'end_trial',
  },
}

function listed<T>(given: T[] | null | undefined, before: T[]): T[] {
  return given === undefined ? before : (given ?? [])
}

function durationFrom(given: {
  type: 'indefinite' | 'interval_options'
  interval_options?: { interval: PauseInterval['interval']; interval_count?: number }[] | null
}): PortalFeatures['subscription_pause']['duration'] {
  const options = given.interval_options ?? []
  return {
    interval_options: options.map(({ interval, interval_count }) => ({
      interval,
      interval_count: interval_count ?? 1,
    })),
    type: given.type,
  }
}

function productFrom(given: {
  product: string
  prices: string[]
  adjustable_quantity?: { enabled: boolean; maximum?: number; minimum?: number }
}): PortalProduct {
  const quantity = given.adjustable_quantity
  return {
    adjustable_quantity: {
      enabled: quantity?.enabled ?? false,
      maximum: quantity?.maximum ?? null,
      minimum: quantity?.minimum ?? 1,
    },
    prices: given.prices,
    product: given.product,
  }
}
