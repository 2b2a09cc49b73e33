import type { Kind } from '../account.ts'
import { checkoutItem, checkoutSession } from '../checkout/session.ts'
import { creditNote } from '../credit-notes/credit-note.ts'
import { creditGrant } from '../credits/grant.ts'
import { creditBalanceTransaction } from '../credits/ledger.ts'
import { coupon } from '../discounts/coupon.ts'
import { discount } from '../discounts/discount.ts'
import type { Route } from '../http/route.ts'
import { balanceTransaction } from '../invoices/balance.ts'
import { invoice } from '../invoices/invoice.ts'
import { invoiceItem } from '../invoices/items.ts'
import { lineItem } from '../invoices/line.ts'
import { invoicePayment } from '../invoices/payment.ts'
import { charge } from '../payments/charge.ts'
import { paymentIntent } from '../payments/payment-intent.ts'
import { refund } from '../payments/refund.ts'
import { setupAttempt, setupIntent } from '../payments/setup-intent.ts'
import { subscriptionSchedule } from '../subscriptions/schedule.ts'
import { subscription, subscriptionItem } from '../subscriptions/subscription.ts'
import { accountRoutes } from './account.ts'
import { alert, alertRoutes } from './alerts.ts'
import { chargeRoutes } from './charges.ts'
import { checkoutRoutes } from './checkout-sessions.ts'
import { couponRoutes } from './coupons.ts'
import { creditGrantRoutes } from './credit-grants.ts'
import { creditNoteRoutes } from './credit-notes.ts'
import { customerBalanceTransactionRoutes } from './customer-balance-transactions.ts'
import { customer, customerRoutes } from './customers.ts'
import { entitlementRoutes } from './entitlements.ts'
import { eventDestination, eventDestinationRoutes } from './event-destinations.ts'
import { eventRoutes } from './events.ts'
import { fraudRoutes } from './fraud.ts'
import { invoiceItemRoutes } from './invoice-items.ts'
import { invoiceLineRoutes } from './invoice-lines.ts'
import { invoicePaymentRoutes } from './invoice-payments.ts'
import { invoicePreviewRoutes } from './invoice-previews.ts'
import { invoiceRoutes } from './invoices.ts'
import { meterEventRoutes } from './meter-events.ts'
import { meter, meterRoutes } from './meters.ts'
import { paymentIntentRoutes } from './payment-intents.ts'
import { paymentMethod, paymentMethodRoutes } from './payment-methods.ts'
import { plan, planRoutes } from './plans.ts'
import { portalConfiguration, portalConfigurationRoutes } from './portal-configurations.ts'
import { portalSession, portalSessionRoutes } from './portal-sessions.ts'
import { price, priceRoutes } from './prices.ts'
import { product, productRoutes } from './products.ts'
import { promotionCode, promotionCodeRoutes } from './promotion-codes.ts'
import { refundRoutes } from './refunds.ts'
import { searchRoutes } from './search.ts'
import { setupIntentRoutes } from './setup-intents.ts'
import { subscriptionItemRoutes } from './subscription-items.ts'
import { subscriptionScheduleRoutes } from './subscription-schedules.ts'
import { subscriptionRoutes } from './subscriptions.ts'
import { taxId, taxIdRoutes } from './tax-ids.ts'
import { testClock, testClockRoutes } from './test-clocks.ts'
import { webhookEndpoint, webhookEndpointRoutes } from './webhook-endpoints.ts'

export const kinds: Kind[] = [
  alert,
  balanceTransaction,
  charge,
  checkoutItem,
  checkoutSession,
  coupon,
  creditBalanceTransaction,
  creditGrant,
  creditNote,
  customer,
  discount,
  eventDestination,
  invoice,
  invoiceItem,
  invoicePayment,
  lineItem,
  meter,
  paymentIntent,
  paymentMethod,
  plan,
  portalConfiguration,
  portalSession,
  price,
  product,
  promotionCode,
  refund,
  setupAttempt,
  setupIntent,
  subscription,
  subscriptionItem,
  subscriptionSchedule,
  taxId,
  testClock,
  webhookEndpoint,
]

export const routes: Route[] = [
  ...accountRoutes,
  ...alertRoutes,
  ...chargeRoutes,
  ...checkoutRoutes,
  ...couponRoutes,
  ...creditGrantRoutes,
  ...creditNoteRoutes,
  ...customerBalanceTransactionRoutes,
  ...customerRoutes,
  ...entitlementRoutes,
  ...eventDestinationRoutes,
  ...eventRoutes,
  ...fraudRoutes,
  ...invoiceItemRoutes,
  ...invoiceLineRoutes,
  ...invoicePaymentRoutes,
  ...invoicePreviewRoutes,
  ...invoiceRoutes,
  ...meterEventRoutes,
  ...meterRoutes,
  ...paymentIntentRoutes,
  ...paymentMethodRoutes,
  ...planRoutes,
  ...portalConfigurationRoutes,
  ...portalSessionRoutes,
  ...priceRoutes,
  ...productRoutes,
  ...setupIntentRoutes,
  ...searchRoutes,
  ...promotionCodeRoutes,
  ...refundRoutes,
  ...subscriptionItemRoutes,
  ...subscriptionRoutes,
  ...subscriptionScheduleRoutes,
  ...taxIdRoutes,
  ...testClockRoutes,
  ...webhookEndpointRoutes,
]
