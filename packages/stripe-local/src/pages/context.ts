import type { FaultSettings } from '../faults.ts'
import type { LoggedRequest } from '../http/request-log.ts'
import type { MeterEventRow } from '../metering/usage.ts'
import type { Readings } from '../readings.ts'
import type { Address } from '../resources/customers.ts'
import type { DueKind } from '../timeline.ts'
import type { Delivery } from '../webhooks/delivery.ts'
import type { Authentication } from './three-d-secure.ts'

export type { FaultSettings } from '../faults.ts'
export type { Delivery } from '../webhooks/delivery.ts'

/** What the hosted pages and the dashboard may ask of the local Stripe. They hold no state of their own. */
export interface PagesContext {
  /** Where pages and API answer, without a trailing slash, e.g. `http://127.0.0.1:12111`. */
  baseUrl: () => string
  /** Opens nothing but this local Stripe, so its dashboard shows it. */
  secretKey: string
  /** The local Stripe's own time: real time plus what was advanced by hand. */
  now: () => Date
  readings: () => Readings
  /**
   * One call of the public API, in process and already authenticated: `api('GET', '/v1/customers', { limit: 10 })`.
   * Answers what the wire would carry. @throws ApiError with `status` and the wire's `error` object.
   */
  api: (method: 'GET' | 'POST' | 'DELETE', path: string, params?: Record<string, unknown>) => Promise<ApiObject>
  /** Ends an open Checkout session the way a person paying would. */
  completeCheckout: (sessionId: string, payer: CheckoutPayer) => Promise<CheckoutOutcome>
  /** What a session's page must know that the API does not tell. */
  checkoutTerms: (sessionId: string) => CheckoutTerms
  /**
   * Changes quantities, the amount and the promotion code of an open session, within what it offers, and with them its
   * total. @throws ApiError for a code that cannot be redeemed
   */
  adjustCheckout: (sessionId: string, chosen: CheckoutChoices) => Promise<void>
  /** Opens an expired session anew as a copy of it. @returns the copy's address, or null where none is offered */
  recoverCheckout: (sessionId: string) => Promise<string | null>
  /** The portal session's customer, configuration and return address; null when it expired or never was. */
  portalSession: (sessionId: string) => Promise<ApiObject | null>
  /** Whether the customer of an expired portal session may log in again, and the doing of it. */
  portalRecovery: { offered: (sessionId: string) => boolean; use: (sessionId: string) => boolean }
  /** Gives a customer a new default card without the bank's question: a payment follows at once and asks it. */
  replaceCard: (customerId: string, card: CardInput) => Promise<CardSetup>
  /**
   * Sets up a customer's new card, which becomes the default one. `requires_action`: send the browser to `url`, the
   * bank's page; it comes back to `returnUrl` with `redirect_status=succeeded` or `failed` in the query.
   */
  beginCardSetup: (customerId: string, card: CardInput, returnUrl: string) => Promise<CardSetup>
  /** What the bank is asked about by the payment or setup intent of that secret; null when there is none. */
  authentication: (intentId: string, secret: string) => Authentication | null
  /** Gives the bank's answer. @returns the address it leads to, or null when the intent has none */
  answerAuthentication: (intentId: string, secret: string, passed: boolean) => string | null
  dashboard: Dashboard
}

/** What only the owner of the local Stripe sees. Each costs the same however much there is. */
export interface Dashboard {
  /** Webhook deliveries, newest first: event, endpoint, attempts with request body, answer status and answer body. */
  deliveries: (options: {
    limit: number
    before?: string
    event?: string
    state?: Delivery['status']
  }) => Promise<Delivery[]>
  /** Sends the delivery's event to its endpoint once more, signed anew. */
  resend: (deliveryId: string) => Promise<void>
  /** Moves the local Stripe's time forward and lets everything due happen, in order. */
  advance: (to: Date) => Promise<void>
  /** What falls due next on the local Stripe's own time, soonest first. */
  upcoming: (limit: number, kind?: DueKind) => DueThing[]
  faults: { read: () => FaultSettings; write: (settings: FaultSettings) => void }
  /** Requests to the API, newest first; the last few hundred. */
  requests: (options: {
    limit: number
    before?: string
    matches?: (request: LoggedRequest) => boolean
  }) => LoggedRequest[]
  request: (id: string) => LoggedRequest | null
  /** Ids of customers whose id is `words`, or whose email address or name begins with it, whatever the case. */
  findCustomers: (words: string, limit: number) => string[]
  /** Meter events as they were received, newest first; `before` is the `seq` of one. */
  meterEvents: (options: {
    limit: number
    before?: number
    state?: ReceivedEvent['state']
    meter?: string
  }) => ReceivedEvent[]
  /** Ids of customers with any usage on a meter, in the order of the ids, after the one named. */
  meterUsers: (meterId: string, options: { limit: number; after?: string }) => string[]
}

export interface DueThing {
  kind: DueKind
  /** The id of the object: a subscription, an invoice, a Checkout session, a delivery … */
  id: string
  at: Date
}

export interface ReceivedEvent {
  seq: number
  identifier: string
  eventName: string
  meter: string | null
  customer: string | null
  value: string
  timestamp: Date
  receivedAt: Date
  state: MeterEventRow['state']
  /** The error code of a rejected one, e.g. `meter_event_customer_not_found`. */
  rejection: string | null
}

/** An object as Stripe's API answers it. */
export type ApiObject = { [key: string]: unknown }

export interface CardInput {
  number: string
  expMonth: number
  expYear: number
  cvc: string
}

export type CardSetup =
  | { status: 'succeeded'; paymentMethod: string }
  | { status: 'requires_action'; url: string }
  | { status: 'declined'; field: 'number' | 'expiry' | 'cvc' | 'card'; message: string }

export interface CheckoutTerms {
  /** Whether a card is asked for. */
  needsCard: boolean
  trialDays: number | null
  trialEnd: Date | null
}

export interface CheckoutPayer {
  email: string
  name: string
  /** Null when no card is collected, or a saved one pays. */
  card: CardInput | null
  /** The id of the customer's own payment method. */
  savedMethod?: string
  /** The person has passed the bank's (pretended) extra question. */
  authenticated: boolean
  phone?: string | null
  businessName?: string | null
  individualName?: string | null
  address?: Address | null
  /** By the key of each field. */
  customFields?: { [key: string]: string }
  consent?: { promotions: boolean }
  /** The card may be shown to its owner again. */
  savesCard?: boolean
  quantities?: CheckoutChoices['quantities']
  customAmount?: CheckoutChoices['customAmount']
}

export interface CheckoutChoices {
  /** By the id of each line whose quantity may be adjusted. */
  quantities?: { [line: string]: number }
  /** In minor units, where the price lets the customer choose. */
  customAmount?: number
  /** Null takes back the one entered before. */
  promotionCode?: string | null
}

export type CheckoutOutcome =
  | { status: 'complete'; redirectUrl: string }
  | { status: 'requires_authentication' }
  /** `field`: the input the message stands beside, `card` when no single one is to blame. */
  | { status: 'declined'; field: 'email' | 'name' | 'number' | 'expiry' | 'cvc' | 'card'; message: string }
