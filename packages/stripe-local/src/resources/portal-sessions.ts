import type { Account, Kind } from '../account.ts'
import { refuse } from '../http/errors.ts'
import {
  integer,
  list,
  oneOf,
  onlyShown,
  type Params,
  required,
  shape,
  text,
  timestamp,
  webAddress,
} from '../http/params.ts'
import { route } from '../http/route.ts'
import { missingParam } from '../http/wording.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { isOver, itemsOf, type Subscription } from '../subscriptions/subscription.ts'
import { customerParameter } from './customers.ts'
import { configurationFor, type PortalConfiguration } from './portal-configurations.ts'
import type { Price } from './prices.ts'

const FLOWS = [
  'customer_update',
  'payment_method_update',
  'subscription_cancel',
  'subscription_pause',
  'subscription_update',
  'subscription_update_confirm',
] as const
type FlowType = (typeof FLOWS)[number]

interface Flow {
  after_completion: {
    hosted_confirmation: { custom_message: string | null } | null
    redirect: { return_url: string } | null
    type: 'hosted_confirmation' | 'portal_homepage' | 'redirect'
  }
  customer_update: { [key: string]: never } | null
  subscription_cancel: { retention: null; subscription: string } | null
  subscription_pause: { subscription: string } | null
  subscription_update: { subscription: string } | null
  subscription_update_confirm: {
    discounts: null
    items: { id: string; price: string | null; quantity?: number }[]
    subscription: string
  } | null
  type: FlowType
}

export interface PortalSession extends Stored {
  object: 'billing_portal.session'
  after_expiration: { customer_login: { expires_at: number | null } | null; type: 'customer_login' } | null
  configuration: string
  customer: string
  customer_account: null
  flow: Flow | null
  livemode: false
  locale: string | null
  on_behalf_of: null
  return_url: string | null
  url: string
  _last_used: number | null
}

export const portalSession: Kind = {
  type: 'billing_portal.session',
  noun: 'portal session',
  references: { configuration: 'billing_portal.configuration' },
}

const onSubscription = shape({ subscription: required(text()) })
const flowRules = {
  type: required(oneOf(...FLOWS)),
  after_completion: shape({
    type: required(oneOf('hosted_confirmation', 'portal_homepage', 'redirect')),
    redirect: shape({ return_url: required(webAddress()) }),
    hosted_confirmation: shape({ custom_message: text({ max: 500 }) }),
  }),
  subscription_cancel: onSubscription,
  subscription_pause: onSubscription,
  subscription_update: onSubscription,
  subscription_update_confirm: shape({
    subscription: required(text()),
    items: required(list(shape({ id: required(text()), price: text(), quantity: integer({ min: 0 }) }), { max: 1 })),
  }),
}
type FlowData = Params<typeof flowRules>

export const portalSessionRoutes = [
  route(
    'POST',
    '/v1/billing_portal/sessions',
    {
      after_expiration: shape({
        type: required(oneOf('customer_login')),
        customer_login: shape({ expires_at: timestamp() }),
      }),
      configuration: text(),
      customer: required(text()),
      flow_data: shape(flowRules),
      locale: onlyShown(text()),
      return_url: webAddress(),
    },
    (account, params) => {
      const customer = customerParameter(account, params.customer)
      const configuration = configurationFor(account, params.configuration)
      const id = newId('bps')
      const expiration = params.after_expiration
      if (params.flow_data) checkFlow(account, params.flow_data, configuration, customer.id)
      const made = account.create<PortalSession>(
        {
          id,
          object: 'billing_portal.session',
          after_expiration: expiration
            ? {
                customer_login: expiration.customer_login
                  ? { expires_at: expiration.customer_login.expires_at ?? null }
                  : null,
                type: expiration.type,
              }
            : null,
          configuration: configuration.id,
          created: account.seconds(),
          customer: customer.id,
          customer_account: null,
          flow: params.flow_data ? flowFrom(params.flow_data) : null,
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

const MINUTE = 60
const HOUR = 3600

/** @returns the session while it lives: five minutes unused, then an hour after each use */
export function usePortalSession(account: Account, id: string): PortalSession | null {
  const found = account.objects.find<PortalSession>('billing_portal.session', id)
  if (!found) return null
  const now = account.seconds()
  const expires = found._last_used === null ? found.created + 5 * MINUTE : found._last_used + HOUR
  return now > expires ? null : account.objects.save<PortalSession>({ ...found, _last_used: now })
}

/** Whether its customer may log in to an expired session again: `after_expiration` said so, and its deadline is ahead. */
export function isRecoverable(account: Account, id: string): boolean {
  const found = account.objects.find<PortalSession>('billing_portal.session', id)
  if (!found?.after_expiration) return false
  const deadline = found.after_expiration.customer_login?.expires_at ?? Number.POSITIVE_INFINITY
  return account.seconds() <= deadline
}

/** Opens an expired session again, as the link in Stripe's e-mail to its customer does. */
export function recoverPortalSession(account: Account, id: string): boolean {
  if (!isRecoverable(account, id)) return false
  const found = account.get<PortalSession>('billing_portal.session', id)
  account.objects.save<PortalSession>({ ...found, _last_used: account.seconds() })
  return true
}

function flowFrom(given: FlowData): Flow {
  const after = given.after_completion
  const confirm = given.subscription_update_confirm
  return {
    after_completion: {
      hosted_confirmation: after?.hosted_confirmation
        ? { custom_message: after.hosted_confirmation.custom_message ?? null }
        : null,
      redirect: after?.redirect ?? null,
      type: after?.type ?? 'portal_homepage',
    },
    customer_update: given.type === 'customer_update' ? {} : null,
    subscription_cancel: given.subscription_cancel ? { retention: null, ...given.subscription_cancel } : null,
    subscription_pause: given.subscription_pause ?? null,
    subscription_update: given.subscription_update ?? null,
    subscription_update_confirm: confirm
      ? {
          discounts: null,
          items: confirm.items.map(({ id, price, quantity }) => ({
            id,
            price: price ?? null,
            ...(quantity !== undefined && { quantity }),
          })),
          subscription: confirm.subscription,
        }
      : null,
    type: given.type,
  }
}

/** A link to what the configuration does not offer, or to another's subscription, is never made. @throws ApiError 400 */
function checkFlow(account: Account, flow: FlowData, configuration: PortalConfiguration, customer: string): void {
  const { features } = configuration
  const { type, after_completion: after } = flow
  if (after?.type === 'redirect' && !after.redirect) throw missingParam('flow_data[after_completion][redirect]')
  if (type === 'customer_update') checkOffered(features.customer_update.enabled, 'customer update')
  else if (type === 'payment_method_update')
    checkOffered(features.payment_method_update.enabled, 'payment method update')
  else {
    const subject = flow[type]
    if (!subject) throw missingParam(`flow_data[${type}]`)
    const subscription = ownSubscription(account, subject.subscription, customer, `flow_data[${type}][subscription]`)
    if (type === 'subscription_cancel') checkCancel(subscription, configuration)
    else if (type === 'subscription_pause') checkOffered(features.subscription_pause.enabled, 'subscription pause')
    else checkUpdate(account, subscription, configuration)
    if (type === 'subscription_update_confirm') checkConfirm(account, flow, subscription, configuration)
  }
}

function checkOffered(enabled: boolean, feature: string): void {
  if (!enabled) throw refuse(`The ${feature} feature in the portal configuration is disabled.`)
}

function ownSubscription(account: Account, id: string, customer: string, param: string): Subscription {
  const found = account.reference<Subscription>('subscription', id, param)
  if (found.customer !== customer)
    throw refuse(`The subscription ${id} does not belong to the customer ${customer}.`, { param })
  if (isOver(found)) throw refuse(`The subscription ${id} has ended, so it cannot be changed in the portal.`, { param })
  return found
}

function checkCancel(subscription: Subscription, { features }: PortalConfiguration): void {
  if (!features.subscription_cancel.enabled) {
    throw refuse(
      'This subscription cannot be canceled because the subscription cancellation feature in the portal configuration is disabled.',
    )
  }
  if (subscription.cancel_at !== null)
    throw refuse(`The subscription ${subscription.id} is already set to be canceled at period end.`)
}

function checkUpdate(account: Account, subscription: Subscription, { features }: PortalConfiguration): void {
  if (!features.subscription_update.enabled) {
    throw refuse(
      'This subscription cannot be updated because the subscription update feature in the portal configuration is disabled.',
    )
  }
  const items = itemsOf(account, subscription.id)
  const obstacle = updateObstacle(account, {
    metered: items.some((item) => account.get<Price>('price', item.price).recurring?.usage_type === 'metered'),
    items: items.length,
    collection: subscription.collection_method,
  })
  if (obstacle) throw refuse(`This subscription cannot be updated because it ${obstacle}.`)
}

/**
 * Why the portal only cancels such a subscription, to be read after "it": docs.stripe.com/customer-management, "Customer
 * portal limitations". Null when it also updates it.
 */
export function updateObstacle(
  account: Pick<Account, 'readings'>,
  about: { metered: boolean; items: number; collection: string | null },
): string | null {
  if (about.items > 1) return 'has multiple items'
  if (about.metered && !account.readings.portalUpdatesMetered) return 'has usage-based prices'
  if (about.collection === 'send_invoice') return 'is collected by sending invoices'
  return null
}

function checkConfirm(
  account: Account,
  flow: FlowData,
  subscription: Subscription,
  configuration: PortalConfiguration,
): void {
  const [change] = flow.subscription_update_confirm?.items ?? []
  const param = 'flow_data[subscription_update_confirm][items]'
  if (!change) throw refuse('One item is required.', { param })
  const item = itemsOf(account, subscription.id).find(({ id }) => id === change.id)
  if (!item) throw refuse(`No such subscription item: '${change.id}'`, { code: 'resource_missing', param })
  const price = change.price ?? item.price
  const offered = configuration.features.subscription_update.products.some(({ prices }) => prices.includes(price))
  account.reference<Price>('price', price, `${param}[0][price]`)
  if (!offered) {
    throw refuse(
      `The item \`${item.id}\` cannot be updated to price \`${price}\` because the configuration \`${configuration.id}\` does not include the price in its \`features[subscription_update][products]\`.`,
    )
  }
  if (price === item.price && (change.quantity ?? item.quantity) === item.quantity)
    throw refuse(`The subscription ${subscription.id} cannot be updated because there are no changes to confirm.`)
}
