import type { Account, Kind } from '../account.ts'
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
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { customerParameter } from './customers.ts'
import type { Price } from './prices.ts'

type Features = Params<typeof featureRules>
interface PortalProduct {
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

interface PortalFeatures {
  customer_update: { allowed_updates: string[]; enabled: boolean }
  invoice_history: { enabled: boolean }
  payment_method_update: { enabled: boolean; payment_method_configuration: null }
  subscription_cancel: {
    cancellation_reason: { enabled: boolean; feedback_options: null; options: string[] }
    enabled: boolean
    mode: 'at_period_end' | 'immediately'
    proration_behavior: 'always_invoice' | 'create_prorations' | 'none'
  }
  subscription_pause: { duration: { interval_options: []; type: 'indefinite' }; enabled: boolean }
  subscription_update: {
    billing_cycle_anchor: 'now' | 'unchanged'
    default_allowed_updates: string[]
    enabled: boolean
    products: PortalProduct[]
    proration_behavior: 'always_invoice' | 'create_prorations' | 'none'
    schedule_at_period_end: { conditions: { type: string }[] }
    trial_update_behavior: 'continue_trial' | 'end_trial'
  }
}

export interface PortalSession extends Stored {
  object: 'billing_portal.session'
  configuration: string
  customer: string
  customer_account: null
  flow: { [key: string]: unknown } | null
  livemode: false
  locale: string | null
  on_behalf_of: null
  return_url: string | null
  url: string
  _last_used: number | null
}

export const portalConfiguration: Kind = { type: 'billing_portal.configuration', noun: 'configuration' }
export const portalSession: Kind = {
  type: 'billing_portal.session',
  noun: 'portal session',
  references: { configuration: 'billing_portal.configuration' },
  present: (_account, stored: PortalSession) => visible(stored),
}

const reasons = oneOf(
  'customer_service',
  'low_quality',
  'missing_features',
  'other',
  'switched_service',
  'too_complex',
  'too_expensive',
  'unused',
)
const PRODUCTS_MAX = 10

const featureRules = {
  customer_update: shape({
    enabled: flag(),
    allowed_updates: unsettable(list(oneOf('address', 'email', 'name', 'phone', 'shipping', 'tax_id'))),
  }),
  invoice_history: shape({ enabled: required(flag()) }),
  payment_method_update: shape({ enabled: required(flag()) }),
  subscription_cancel: shape({
    enabled: flag(),
    mode: oneOf('at_period_end', 'immediately'),
    proration_behavior: oneOf('always_invoice', 'create_prorations', 'none'),
    cancellation_reason: shape({ enabled: required(flag()), options: unsettable(list(reasons)) }),
  }),
  subscription_pause: shape({ enabled: flag() }),
  subscription_update: shape({
    enabled: flag(),
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
    proration_behavior: oneOf('always_invoice', 'create_prorations', 'none'),
    schedule_at_period_end: shape({
      conditions: unsettable(list(shape({ type: required(oneOf('decreasing_item_amount', 'shortening_interval')) }))),
    }),
    trial_update_behavior: oneOf('continue_trial', 'end_trial'),
  }),
}

const configurable = {
  business_profile: shape({
    headline: unsettable(text({ max: 60 })),
    privacy_policy_url: unsettable(text()),
    terms_of_service_url: unsettable(text()),
  }),
  default_return_url: unsettable(text()),
  login_page: shape({ enabled: required(flag()) }),
  metadata: metadata(),
  name: unsettable(text()),
}

export const portalRoutes = [
  route(
    'POST',
    '/v1/billing_portal/configurations',
    { ...configurable, features: required(shape(featureRules)) },
    (account, params) => {
      const created = account.seconds()
      checkFeatures(account, params.features)
      const made = account.create<PortalConfiguration>(
        {
          id: newId('bpc'),
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
          features: featuresFrom(params.features),
          is_default: account.objects.all('billing_portal.configuration', { '$.is_default': true }).length === 0,
          livemode: false,
          login_page: loginPage(account, params.login_page?.enabled ?? false),
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
    (account, params) =>
      listPage<PortalConfiguration>(
        account,
        'billing_portal.configuration',
        '/v1/billing_portal/configurations',
        params,
        {
          where: { '$.active': params.active, '$.is_default': params.is_default },
        },
      ),
  ),

  route('GET', '/v1/billing_portal/configurations/:id', {}, (account, _params, { id }) =>
    account.present(account.get<PortalConfiguration>('billing_portal.configuration', id!)),
  ),

  route(
    'POST',
    '/v1/billing_portal/configurations/:id',
    { ...configurable, active: flag(), features: shape(featureRules) },
    (account, { metadata: sent, business_profile: profile, login_page: login, features, ...params }, { id }) => {
      const before = account.get<PortalConfiguration>('billing_portal.configuration', id!)
      if (features) checkFeatures(account, features)
      const changes = {
        ...params,
        ...(profile && { business_profile: { ...before.business_profile, ...profile } }),
        ...(login && { login_page: loginPage(account, login.enabled) }),
        ...(features && { features: featuresFrom(features, before.features) }),
        metadata: mergedMetadata(before.metadata, sent),
        updated: account.seconds(),
      }
      return account.present(account.change(before, changes, 'billing_portal.configuration.updated'))
    },
  ),

  route(
    'POST',
    '/v1/billing_portal/sessions',
    {
      customer: required(text()),
      configuration: text(),
      locale: text(),
      return_url: text(),
      flow_data: shape({
        type: required(
          oneOf(
            'customer_update',
            'payment_method_update',
            'subscription_cancel',
            'subscription_update',
            'subscription_update_confirm',
          ),
        ),
        after_completion: shape({
          type: required(oneOf('hosted_confirmation', 'portal_homepage', 'redirect')),
          redirect: shape({ return_url: required(text()) }),
          hosted_confirmation: shape({ custom_message: text() }),
        }),
        subscription_cancel: shape({ subscription: required(text()) }),
        subscription_update: shape({ subscription: required(text()) }),
        subscription_update_confirm: shape({
          subscription: required(text()),
          items: required(
            list(shape({ id: required(text()), price: text(), quantity: integer({ min: 0 }) }), { max: 1 }),
          ),
        }),
      }),
    },
    (account, params) => {
      const customer = customerParameter(account, params.customer)
      const configuration = configurationFor(account, params.configuration)
      const id = newId('bps')
      const flow = params.flow_data
      const made = account.create<PortalSession>(
        {
          id,
          object: 'billing_portal.session',
          configuration: configuration.id,
          created: account.seconds(),
          customer: customer.id,
          customer_account: null,
          flow: flow
            ? {
                after_completion: {
                  hosted_confirmation: null,
                  redirect: null,
                  ...(flow.after_completion ?? { type: 'portal_homepage' }),
                },
                customer_update: null,
                subscription_cancel: flow.subscription_cancel ? { retention: null, ...flow.subscription_cancel } : null,
                subscription_pause: null,
                subscription_update: flow.subscription_update ?? null,
                subscription_update_confirm: flow.subscription_update_confirm
                  ? { discounts: null, ...flow.subscription_update_confirm }
                  : null,
                type: flow.type,
              }
            : null,
          livemode: false,
          locale: params.locale ?? null,
          on_behalf_of: null,
          return_url: params.return_url ?? configuration.default_return_url,
          url: `${account.baseUrl()}/p/session/${id}`,
          _last_used: null,
        },
        'billing_portal.session.created',
      )
      return account.present(made)
    },
  ),
]

/** @returns the session while it lives: five minutes unused, then an hour after each use */
export function usePortalSession(account: Account, id: string): PortalSession | null {
  const found = account.objects.find<PortalSession>('billing_portal.session', id)
  if (!found) return null
  const now = account.seconds()
  const expires = found._last_used === null ? found.created + 5 * 60 : found._last_used + 60 * 60
  return now > expires ? null : account.objects.save<PortalSession>({ ...found, _last_used: now })
}

function configurationFor(account: Account, id: string | undefined): PortalConfiguration {
  if (id !== undefined)
    return account.reference<PortalConfiguration>('billing_portal.configuration', id, 'configuration')
  const [found] = account.objects.all<PortalConfiguration>('billing_portal.configuration', {
    '$.is_default': true,
    '$.active': true,
  })
  if (found) return found
  throw refuse(
    'No configuration provided and your test mode default configuration has not been created. Provide a configuration or create your default by saving your customer portal settings in test mode at https://dashboard.stripe.com/test/settings/billing/portal.',
  )
}

function loginPage(account: Account, enabled: boolean): PortalConfiguration['login_page'] {
  return { enabled, url: enabled ? `${account.baseUrl()}/p/login` : null }
}

function checkFeatures(account: Account, { subscription_cancel: cancel, subscription_update: update }: Features): void {
  if (cancel?.proration_behavior === 'always_invoice') {
    throw refuse('`always_invoice` is not supported for `features[subscription_cancel][proration_behavior]`.', {
      param: 'features[subscription_cancel][proration_behavior]',
    })
  }
  if (cancel?.proration_behavior === 'create_prorations' && cancel.mode !== 'immediately') {
    throw refuse('Prorations are only possible when `features[subscription_cancel][mode]` is `immediately`.', {
      param: 'features[subscription_cancel][proration_behavior]',
    })
  }
  const products = update?.products ?? []
  if (products.length > PRODUCTS_MAX) {
    throw refuse(`You can have at most ${PRODUCTS_MAX} products in \`features[subscription_update][products]\`.`, {
      param: 'features[subscription_update][products]',
    })
  }
  for (const [index, product] of products.entries())
    checkProduct(account, product, `features[subscription_update][products][${index}]`)
}

function checkProduct(account: Account, given: { product: string; prices: string[] }, param: string): void {
  account.reference('product', given.product, `${param}[product]`)
  const intervals = given.prices.map((id, index) => {
    const price = account.reference<Price>('price', id, `${param}[prices][${index}]`)
    if (price.product !== given.product) {
      throw refuse(`The price ${price.id} does not belong to the product ${given.product}.`, {
        param: `${param}[prices][${index}]`,
      })
    }
    if (!price.recurring)
      throw refuse(`The price ${price.id} is not recurring.`, { param: `${param}[prices][${index}]` })
    return `${price.recurring.interval_count} ${price.recurring.interval} ${price.currency}`
  })
  if (new Set(intervals).size < intervals.length) {
    throw refuse(
      `The product ${given.product} has multiple prices with the same recurring interval. Only one price per interval is allowed.`,
      { param: `${param}[prices]` },
    )
  }
}

function featuresFrom(given: Features, before?: PortalFeatures): PortalFeatures {
  const { subscription_cancel: cancel, subscription_update: update, customer_update: customer } = given
  return {
    customer_update: {
      allowed_updates: customer?.allowed_updates ?? before?.customer_update.allowed_updates ?? [],
      enabled: customer?.enabled ?? before?.customer_update.enabled ?? false,
    },
    invoice_history: { enabled: given.invoice_history?.enabled ?? before?.invoice_history.enabled ?? false },
    payment_method_update: {
      enabled: given.payment_method_update?.enabled ?? before?.payment_method_update.enabled ?? false,
      payment_method_configuration: null,
    },
    subscription_cancel: {
      cancellation_reason: {
        enabled:
          cancel?.cancellation_reason?.enabled ?? before?.subscription_cancel.cancellation_reason.enabled ?? false,
        feedback_options: null,
        options: cancel?.cancellation_reason?.options ?? before?.subscription_cancel.cancellation_reason.options ?? [],
      },
      enabled: cancel?.enabled ?? before?.subscription_cancel.enabled ?? false,
      mode: cancel?.mode ?? before?.subscription_cancel.mode ?? 'at_period_end',
      proration_behavior: cancel?.proration_behavior ?? before?.subscription_cancel.proration_behavior ?? 'none',
    },
    subscription_pause: {
      duration: { interval_options: [], type: 'indefinite' },
      enabled: given.subscription_pause?.enabled ?? before?.subscription_pause.enabled ?? false,
    },
    subscription_update: {
      billing_cycle_anchor:
        update?.billing_cycle_anchor ?? before?.subscription_update.billing_cycle_anchor ?? 'unchanged',
      default_allowed_updates:
        update?.default_allowed_updates ?? before?.subscription_update.default_allowed_updates ?? [],
      enabled: update?.enabled ?? before?.subscription_update.enabled ?? false,
      products:
        update?.products === undefined
          ? (before?.subscription_update.products ?? [])
          : (update.products ?? []).map(productFrom),
      proration_behavior: update?.proration_behavior ?? before?.subscription_update.proration_behavior ?? 'none',
      schedule_at_period_end: {
        conditions:
          update?.schedule_at_period_end?.conditions ??
          before?.subscription_update.schedule_at_period_end.conditions ??
          [],
      },
      trial_update_behavior:
        update?.trial_update_behavior ?? before?.subscription_update.trial_update_behavior ?? 'end_trial',
    },
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
