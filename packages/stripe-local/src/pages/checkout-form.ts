import { html } from 'hono/html'
import { addressFields, addressFrom } from './address.ts'
import { CARD_FIELDS, cardFields, readCard, testCards, typedCard } from './card.ts'
import type { Offer } from './checkout-offer.ts'
import type { ApiObject, CheckoutChoices, CheckoutPayer } from './context.ts'
import { errorSummary, type FormErrors, field } from './form.ts'
import type { Html } from './layout.ts'
import { formatAmount, minorAmount } from './money.ts'
import { child, flag, integer, list, text } from './wire.ts'

export type Typed = { [field: string]: string }
export const FORM = 'pay'

/** What the person typed as the core takes it, and what is wrong with it, by field. */
export function readPayer(offer: Offer, typed: Typed, now: Date): { payer: CheckoutPayer; errors: FormErrors } {
  const { session, terms } = offer
  const errors: FormErrors = { ...choiceErrors(offer, typed) }
  const email = offer.knownEmail ?? typed.email?.trim() ?? ''
  if (email === '') errors.email = 'Enter an email address.'
  else if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) errors.email = 'Your email is incomplete.'
  const saved = offer.savedCards.find(({ id }) => id === typed.card)
  const typesCard = terms.needsCard && !saved
  const read = typesCard ? readCard(typedCard(typed), now) : null
  Object.assign(errors, read?.errors)
  const name = typed.name?.trim() ?? ''
  if (typesCard && name === '') errors.name = 'Enter the name on the card.'
  if (flag(session, 'phone_number_collection.enabled') && !/^\+?[\d\s().-]{5,20}$/.test(typed.phone?.trim() ?? ''))
    errors.phone = 'Enter a phone number such as +1 555 0100.'
  Object.assign(errors, nameErrors(session, typed), addressErrors(session, typed))
  const customFields = Object.fromEntries(
    list(session, 'custom_fields').map((custom) => [text(custom, 'key'), typed[inputName(custom)]?.trim() ?? '']),
  )
  for (const custom of list(session, 'custom_fields')) {
    const wrong = customError(custom, typed[inputName(custom)]?.trim() ?? '')
    if (wrong) errors[inputName(custom)] = wrong
  }
  if (text(session, 'consent_collection.terms_of_service') === 'required' && typed.terms !== 'yes')
    errors.terms = `Agree to ${offer.merchant}'s terms of service to go on.`
  return {
    errors,
    payer: {
      email,
      name,
      card: read?.card ?? null,
      ...(saved && { savedMethod: saved.id }),
      authenticated: typed.authentication === 'complete',
      ...(typed.phone && { phone: typed.phone.trim() }),
      ...(typed.business_name && { businessName: typed.business_name.trim() }),
      ...(typed.individual_name && { individualName: typed.individual_name.trim() }),
      ...(needsAddress(session) && { address: wholeAddress(typed) }),
      ...(list(session, 'custom_fields').length > 0 && { customFields }),
      ...(child(session, 'consent_collection') && { consent: { promotions: typed.promotions === 'yes' } }),
      ...(typed.save === 'yes' && { savesCard: true }),
      ...choices(offer, typed),
    },
  }
}

/** The quantities and the amount that were chosen, of those the offer lets one choose. */
export function choices(offer: Offer, typed: Typed): Pick<CheckoutChoices, 'quantities' | 'customAmount'> {
  const quantities = Object.fromEntries(
    offer.items.flatMap((item) => {
      const written = typed[`quantity_${item.id}`]
      return item.adjustable && written !== undefined ? [[item.id, Number(written)]] : []
    }),
  )
  const isCustom = offer.items.some((item) => item.isCustom) && typed.amount !== undefined
  const amount = isCustom ? minorAmount(typed.amount!, offer.currency) : null
  return {
    ...(Object.keys(quantities).length > 0 && { quantities }),
    ...(amount !== null && { customAmount: amount }),
  }
}

/** The promotion code that was entered, or null when it was taken back. */
export function promotionChoice({ session }: Offer, typed: Typed): Pick<CheckoutChoices, 'promotionCode'> {
  if (!flag(session, 'allow_promotion_codes')) return {}
  if (typed.update === 'remove_code') return { promotionCode: null }
  const code = typed.promotion_code?.trim() ?? ''
  return code === '' ? {} : { promotionCode: code }
}

export function choiceErrors(offer: Offer, typed: Typed): FormErrors {
  const errors: FormErrors = {}
  for (const { id, adjustable, isCustom, price } of offer.items) {
    const written = typed[`quantity_${id}`]
    if (adjustable && written !== undefined) {
      const isWhole = /^\d+$/.test(written) && Number(written) >= adjustable.minimum
      if (!isWhole || Number(written) > adjustable.maximum)
        errors[`quantity_${id}`] = `Enter a whole number from ${adjustable.minimum} to ${adjustable.maximum}.`
    }
    if (isCustom && typed.amount !== undefined) {
      const wrong = amountError(price, typed.amount, offer.currency)
      if (wrong) errors.amount = wrong
    }
  }
  return errors
}

function amountError(price: ApiObject, written: string, currency: string): string | null {
  const amount = minorAmount(written, currency)
  if (amount === null) return 'Enter an amount such as 10.00.'
  const [least, most] = [
    integer(price, 'custom_unit_amount.minimum') ?? 1,
    integer(price, 'custom_unit_amount.maximum'),
  ]
  if (amount < least) return `The amount must be at least ${formatAmount(least, currency)}.`
  if (most !== null && amount > most) return `The amount must be at most ${formatAmount(most, currency)}.`
  return null
}

/** The right side: everything that is typed, and the button. */
export function checkoutForm(offer: Offer, typed: Typed, errors: FormErrors, now: Date): Html {
  const { session, mode, terms } = offer
  return html`<h2>${title(offer)}</h2>
${errorSummary(errors, fieldNames(offer))}
<form method="post" novalidate class="stack" id="${FORM}">
${field({
  name: 'email',
  label: 'Email',
  type: 'email',
  value: offer.knownEmail ?? typed.email ?? '',
  readonly: offer.knownEmail !== null,
  error: errors.email,
  autocomplete: 'email',
  placeholder: 'email@example.com',
})}
${
  flag(session, 'phone_number_collection.enabled') &&
  field({ name: 'phone', label: 'Phone number', value: typed.phone, error: errors.phone, autocomplete: 'tel' })
}
${collectedNames(session).map(({ name, label, optional }) =>
  field({ name, label: optional ? `${label} (optional)` : label, value: typed[name], error: errors[name] }),
)}
${terms.needsCard && payment(offer, typed, errors)}
${needsAddress(session) && html`<fieldset class="stack"><legend>Billing address</legend>${addressFields('billing', typed, errors)}</fieldset>`}
${list(session, 'custom_fields').map((custom) => customInput(custom, typed, errors))}
${
  terms.needsCard &&
  text(session, 'saved_payment_method_options.payment_method_save') === 'enabled' &&
  checkbox('save', 'Save my payment information for next time', typed.save === 'yes')
}
${consents(offer, typed, errors)}
<button class="primary wide">${submitLabel(offer)}</button>
${text(session, 'custom_text.submit.message') && html`<p class="small muted">${text(session, 'custom_text.submit.message')}</p>`}
${agreement(offer, mode)}
${terms.needsCard && testCards(now)}
</form>`
}

function title({ mode, terms }: Offer): string {
  if (mode === 'setup') return 'Card details'
  return terms.needsCard ? 'Pay with card' : 'Contact information'
}

/** Every field a message may stand beside, in the order of the page. */
function fieldNames({ items, session }: Offer): string[] {
  return [
    ...items.map(({ id }) => `quantity_${id}`),
    'amount',
    'promotion_code',
    'email',
    'phone',
    'business_name',
    'individual_name',
    ...CARD_FIELDS,
    'name',
    'billing_line1',
    'billing_postal_code',
    'billing_city',
    'billing_country',
    ...list(session, 'custom_fields').map(inputName),
    'terms',
  ]
}

const SUBMIT: { [type: string]: string } = { book: 'Book', donate: 'Donate', subscribe: 'Subscribe' }

export function submitLabel({ mode, session, currency, terms }: Offer): string {
  if (mode === 'setup') return 'Save card'
  const chosen = SUBMIT[text(session, 'submit_type') ?? '']
  if (chosen) return chosen
  if (mode === 'subscription') return terms.trialDays !== null || terms.trialEnd ? 'Start trial' : 'Subscribe'
  const total = integer(session, 'amount_total') ?? 0
  return total === 0 ? 'Complete order' : `Pay ${formatAmount(total, currency)}`
}

function payment(offer: Offer, typed: Typed, errors: FormErrors): Html {
  const fields = html`<div class="stack new-card">${cardFields(typedCard(typed), errors)}
${field({
  name: 'name',
  label: 'Cardholder name',
  value: typed.name,
  error: errors.name,
  autocomplete: 'cc-name',
  placeholder: 'Full name on card',
})}</div>`
  if (offer.savedCards.length === 0) return fields
  const chosen = typed.card ?? offer.savedCards[0]!.id
  const options = [...offer.savedCards, { id: 'new', name: 'Use another card' }]
  return html`<fieldset class="stack pay-with"><legend>Payment method</legend>${options.map(
    ({ id, name }) =>
      html`<label class="check"><input type="radio" name="card" value="${id}"${id === chosen && html` checked`}> ${name}</label>`,
  )}${fields}</fieldset>`
}

function customInput(custom: ApiObject, typed: Typed, errors: FormErrors): Html {
  const [name, type] = [inputName(custom), text(custom, 'type') ?? 'text']
  const label = `${text(custom, 'label.custom')}${flag(custom, 'optional') ? ' (optional)' : ''}`
  const value = typed[name] ?? text(custom, `${type}.default_value`) ?? ''
  const error = errors[name]
  if (type !== 'dropdown') {
    const length = integer(custom, `${type}.maximum_length`)
    return field({
      name,
      label,
      value,
      error,
      ...(type === 'numeric' && { inputmode: 'numeric' }),
      ...(length !== null && { maxlength: length }),
    })
  }
  return html`<div class="field"><label for="${name}">${label}</label><select id="${name}" name="${name}"${
    error && html` aria-invalid="true" aria-describedby="${name}-error"`
  }><option value="">Choose…</option>${list(custom, 'dropdown.options').map(
    (option) =>
      html`<option value="${text(option, 'value')}"${text(option, 'value') === value && html` selected`}>${text(option, 'label')}</option>`,
  )}</select>${error && html`<p class="error" id="${name}-error">${error}</p>`}</div>`
}

function customError(custom: ApiObject, value: string): string | null {
  const type = text(custom, 'type') ?? 'text'
  if (value === '') return flag(custom, 'optional') ? null : `Fill in ${text(custom, 'label.custom')}.`
  if (type === 'dropdown') {
    const isOffered = list(custom, 'dropdown.options').some((option) => text(option, 'value') === value)
    return isOffered ? null : 'Choose one of the options.'
  }
  if (type === 'numeric' && !/^\d+$/.test(value)) return 'Enter digits only.'
  const least = integer(custom, `${type}.minimum_length`) ?? 0
  const most = integer(custom, `${type}.maximum_length`) ?? 255
  if (value.length < least) return `Enter at least ${least} characters.`
  return value.length > most ? `Enter at most ${most} characters.` : null
}

function inputName(custom: ApiObject): string {
  return `custom_${text(custom, 'key')}`
}

function consents({ merchant, session }: Offer, typed: Typed, errors: FormErrors): Html {
  const words = text(session, 'custom_text.terms_of_service_acceptance.message')
  return html`${
    text(session, 'consent_collection.promotions') === 'auto' &&
    checkbox('promotions', `${merchant} may send me news and offers by email`, typed.promotions === 'yes')
  }${
    text(session, 'consent_collection.terms_of_service') === 'required' &&
    checkbox('terms', words ?? `I agree to ${merchant}'s terms of service`, typed.terms === 'yes', errors.terms)
  }`
}

function checkbox(name: string, label: string, checked: boolean, error?: string): Html {
  return html`<div class="field"><label class="check"><input type="checkbox" id="${name}" name="${name}" value="yes"${checked && html` checked`}${
    error && html` aria-invalid="true" aria-describedby="${name}-error"`
  }> <span>${label}</span></label>${error && html`<p class="error" id="${name}-error">${error}</p>`}</div>`
}

/** What the customer agrees to by the button, where the card will be charged again. */
function agreement({ merchant, session }: Offer, mode: string): Html | null {
  const isHidden = text(session, 'consent_collection.payment_method_reuse_agreement.position') === 'hidden'
  if (isHidden || mode === 'payment') return null
  const begin = mode === 'setup' ? 'By saving your card' : 'By subscribing'
  return html`<p class="small muted">${begin}, you allow ${merchant} to charge your card for future payments in accordance with their terms.</p>`
}

function collectedNames(session: ApiObject): { name: string; label: string; optional: boolean }[] {
  return [
    { kind: 'business', label: 'Business name' },
    { kind: 'individual', label: 'Full name' },
  ]
    .filter(({ kind }) => flag(session, `name_collection.${kind}.enabled`))
    .map(({ kind, label }) => ({
      name: `${kind}_name`,
      label,
      optional: flag(session, `name_collection.${kind}.optional`),
    }))
}

function nameErrors(session: ApiObject, typed: Typed): FormErrors {
  const missing = collectedNames(session).filter(({ name, optional }) => !optional && !typed[name]?.trim())
  return Object.fromEntries(missing.map(({ name, label }) => [name, `Enter the ${label.toLowerCase()}.`]))
}

function needsAddress(session: ApiObject): boolean {
  return text(session, 'billing_address_collection') === 'required'
}

function addressErrors(session: ApiObject, typed: Typed): FormErrors {
  if (!needsAddress(session)) return {}
  const errors: FormErrors = {}
  if (!typed.billing_line1?.trim()) errors.billing_line1 = 'Enter your street and number.'
  if (!typed.billing_postal_code?.trim()) errors.billing_postal_code = 'Enter your postal code.'
  if (!typed.billing_city?.trim()) errors.billing_city = 'Enter your city.'
  if (!/^[A-Za-z]{2}$/.test(typed.billing_country?.trim() ?? ''))
    errors.billing_country = 'Enter the two letters of your country, such as US.'
  return errors
}

function wholeAddress(typed: Typed) {
  const { city, country, line1, line2, postal_code, state } = addressFrom('billing', typed)
  return {
    city: city || null,
    country: country || null,
    line1: line1 || null,
    line2: line2 || null,
    postal_code: postal_code || null,
    state: state || null,
  }
}
