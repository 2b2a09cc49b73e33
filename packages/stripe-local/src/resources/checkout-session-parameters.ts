import {
  decimal,
  flag,
  integer,
  list,
  mapOfText,
  metadata,
  oneOf,
  onlyShown,
  type Params,
  required,
  shape,
  text,
  timestamp,
  unsettable,
  webAddress,
} from '../http/params.ts'
import { anchorConfig, automaticTax, billingMode, invoiceSettings, pendingInterval } from './subscription-parameters.ts'

const CUSTOM_FIELDS_MAX = 3

const priceData = shape({
  currency: required(text({ max: 3 })),
  product: text(),
  product_data: shape({
    description: text(),
    images: list(text(), { max: 8 }),
    metadata: metadata(),
    name: required(text()),
    tax_code: text(),
    unit_label: text({ max: 12 }),
  }),
  recurring: shape({
    interval: required(oneOf('day', 'month', 'week', 'year')),
    interval_count: integer({ min: 1 }),
  }),
  tax_behavior: onlyShown(oneOf('exclusive', 'inclusive', 'unspecified')),
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: decimal(),
})

const lineShape = shape({
  adjustable_quantity: shape({
    enabled: required(flag()),
    maximum: integer({ min: 1, max: 999_999 }),
    minimum: integer({ min: 0 }),
  }),
  metadata: metadata(),
  price: text(),
  price_data: priceData,
  quantity: integer({ min: 1, max: 999_999 }),
})

const written = shape({
  default_value: text({ max: 255 }),
  maximum_length: integer({ min: 1, max: 255 }),
  minimum_length: integer({ min: 0, max: 255 }),
})
const customField = shape({
  dropdown: shape({
    default_value: text(),
    options: required(
      list(shape({ label: required(text({ max: 100 })), value: required(text({ max: 100 })) }), { max: 200 }),
    ),
  }),
  key: required(text({ max: 200 })),
  label: required(shape({ custom: required(text({ max: 50 })), type: required(oneOf('custom')) })),
  numeric: written,
  optional: flag(),
  text: written,
  type: required(oneOf('dropdown', 'numeric', 'text')),
})
const message = unsettable(shape({ message: required(text({ max: 1200 })) }))

const paymentData = shape({
  capture_method: oneOf('automatic', 'automatic_async', 'manual'),
  description: onlyShown(text({ max: 1000 })),
  metadata: metadata(),
  receipt_email: onlyShown(text()),
  setup_future_usage: oneOf('off_session', 'on_session'),
  shipping: onlyShown(
    shape({ address: mapOfText(), carrier: text(), name: required(text()), phone: text(), tracking_number: text() }),
  ),
  statement_descriptor: text({ max: 22 }),
  statement_descriptor_suffix: text({ max: 22 }),
  transfer_group: onlyShown(text()),
})

export const subscriptionData = shape({
  billing_cycle_anchor: timestamp(),
  billing_cycle_anchor_config: anchorConfig,
  billing_mode: billingMode,
  description: text({ max: 500 }),
  invoice_settings: shape(invoiceSettings),
  metadata: metadata(),
  pending_invoice_item_interval: pendingInterval,
  proration_behavior: oneOf('create_prorations', 'none'),
  trial_end: timestamp(),
  trial_period_days: integer({ min: 1, max: 730 }),
  trial_settings: shape({
    end_behavior: required(shape({ missing_payment_method: required(oneOf('cancel', 'create_invoice', 'pause')) })),
  }),
})

const collected = shape({ enabled: required(flag()), optional: flag() })
const redisplay = oneOf('always', 'limited', 'unspecified')

/** What creates a session. */
export const creation = {
  adaptive_pricing: onlyShown(shape({ enabled: flag() })),
  after_expiration: shape({
    recovery: shape({ allow_promotion_codes: onlyShown(flag()), enabled: required(flag()) }),
  }),
  allow_promotion_codes: flag(),
  allowed_payment_method_types: list(text()),
  automatic_tax: automaticTax,
  billing_address_collection: oneOf('auto', 'required'),
  cancel_url: webAddress(),
  client_reference_id: text({ max: 200 }),
  consent_collection: shape({
    payment_method_reuse_agreement: shape({ position: required(oneOf('auto', 'hidden')) }),
    promotions: oneOf('auto', 'none'),
    terms_of_service: oneOf('none', 'required'),
  }),
  currency: text({ max: 3 }),
  custom_fields: list(customField, { max: CUSTOM_FIELDS_MAX }),
  custom_text: shape({
    after_submit: message,
    shipping_address: onlyShown(message),
    submit: message,
    terms_of_service_acceptance: message,
  }),
  customer: text(),
  customer_creation: oneOf('always', 'if_required'),
  customer_email: text({ max: 800 }),
  customer_update: shape({
    address: oneOf('auto', 'never'),
    name: oneOf('auto', 'never'),
    shipping: onlyShown(oneOf('auto', 'never')),
  }),
  discounts: list(shape({ coupon: text(), promotion_code: text() }), { max: 1 }),
  excluded_payment_method_types: list(text()),
  expires_at: timestamp(),
  integration_identifier: onlyShown(text()),
  invoice_creation: shape({
    enabled: required(flag()),
    invoice_data: shape({
      custom_fields: unsettable(
        list(shape({ name: required(text({ max: 40 })), value: required(text({ max: 140 })) }), { max: 4 }),
      ),
      description: text({ max: 1500 }),
      footer: text({ max: 5000 }),
      metadata: metadata(),
    }),
  }),
  line_items: list(lineShape, { max: 100 }),
  locale: onlyShown(text()),
  metadata: metadata(),
  mode: required(oneOf('payment', 'setup', 'subscription')),
  name_collection: shape({ business: collected, individual: collected }),
  origin_context: onlyShown(oneOf('mobile_app', 'web')),
  payment_intent_data: paymentData,
  payment_method_collection: oneOf('always', 'if_required'),
  payment_method_data: shape({ allow_redisplay: redisplay }),
  payment_method_options: shape({
    card: shape({ request_three_d_secure: oneOf('any', 'automatic', 'challenge') }),
  }),
  phone_number_collection: shape({ enabled: required(flag()) }),
  redirect_on_completion: oneOf('always', 'if_required', 'never'),
  return_url: webAddress(),
  saved_payment_method_options: shape({
    allow_redisplay_filters: list(redisplay, { max: 3 }),
    payment_method_remove: onlyShown(oneOf('disabled', 'enabled')),
    payment_method_save: oneOf('disabled', 'enabled'),
  }),
  setup_intent_data: shape({ description: onlyShown(text({ max: 1000 })), metadata: metadata() }),
  submit_type: oneOf('auto', 'book', 'donate', 'pay', 'subscribe'),
  subscription_data: subscriptionData,
  success_url: webAddress(),
  tax_id_collection: shape({ enabled: required(flag()) }),
  ui_mode: oneOf('elements', 'embedded_page', 'form', 'hosted_page'),
}
export type Creation = Params<typeof creation>
