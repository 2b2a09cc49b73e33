import { Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import { addressFields, addressFrom, describeAddress, typedAddress } from './address.ts'
import type { ApiObject, PagesContext } from './context.ts'
import { errorSummary, type FormErrors, field, readForm } from './form.ts'
import type { Html } from './layout.ts'
import { finish, type Portal, portalPage, portalVisit, wayBack } from './portal-session.ts'
import { child, flag, list, text, texts } from './wire.ts'

type Typed = { [field: string]: string }
type Detail = 'address' | 'email' | 'name' | 'phone' | 'shipping' | 'tax_id'

/** Name, address and tax IDs for invoices. */
export function portalDetailsPages(context: PagesContext): Hono {
  const app = new Hono()
  const base = '/p/session/:portalSessionId'
  const visit = portalVisit(context, 'customer_update')

  app.get(
    `${base}/information`,
    visit(async (c, portal) => {
      const taxIds = mayChange(portal, 'tax_id') ? await taxIdsOf(context, portal) : []
      return c.html(informationPage(portal, typedFrom(portal.customer), {}, taxIds))
    }),
  )

  app.post(
    `${base}/information`,
    visit(async (c, portal) => {
      const typed = await readForm(c)
      const errors = errorsIn(portal, typed)
      const taxIds = mayChange(portal, 'tax_id') ? await taxIdsOf(context, portal) : []
      const again = () => c.html(informationPage(portal, typed, errors, taxIds), 422)
      if (Object.keys(errors).length > 0) return again()
      const address = `/v1/customers/${text(portal.customer, 'id')}`
      try {
        await context.api('POST', address, changesFrom(portal, typed))
        if (mayChange(portal, 'tax_id') && typed.tax_value)
          await context.api('POST', `${address}/tax_ids`, { type: typed.tax_type, value: typed.tax_value.trim() })
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        errors[error.error.code === 'tax_id_invalid' ? 'tax_value' : 'form'] = error.message
        return again()
      }
      return finish(c, portal, 'customer_update', 'information')
    }),
  )

  app.post(
    `${base}/tax-ids/:taxId/remove`,
    visit(async (c, portal) => {
      const taxId =
        mayChange(portal, 'tax_id') &&
        (await taxIdsOf(context, portal)).find((one) => text(one, 'id') === c.req.param('taxId'))
      if (taxId)
        await context.api('DELETE', `/v1/customers/${text(portal.customer, 'id')}/tax_ids/${text(taxId, 'id')}`)
      return c.redirect(`${portal.base}/information`, 303)
    }),
  )

  return app
}

/** The section of the portal's first page. */
export async function informationSection(context: PagesContext, portal: Portal): Promise<Html> {
  const { base, customer, features } = portal
  const taxIds = mayChange(portal, 'tax_id') ? await taxIdsOf(context, portal) : []
  const shipping = child(customer, 'shipping')
  const rows: [string, string | null][] = [
    ['Name', text(customer, 'name')],
    ['Email', text(customer, 'email')],
    ['Phone', text(customer, 'phone')],
    ['Address', describeAddress(child(customer, 'address'))],
    [
      'Shipping',
      shipping && [text(shipping, 'name'), describeAddress(child(shipping, 'address'))].filter(Boolean).join(', '),
    ],
    ['Tax ID', taxIds.map((taxId) => text(taxId, 'value')).join(', ') || null],
  ]
  const shown = rows.filter(([label, value]) => value || label === 'Name' || label === 'Email')
  return html`<section class="section" aria-labelledby="information"><h2 class="section-title" id="information">Billing information</h2>
<dl class="facts">${shown.map(([label, value]) => html`<dt>${label}</dt><dd>${value ?? '–'}</dd>`)}</dl>
${flag(features, 'customer_update.enabled') && texts(features, 'customer_update.allowed_updates').length > 0 && html`<p><a class="button" href="${base}/information">Update information</a></p>`}</section>`
}

function mayChange(portal: Portal, what: Detail): boolean {
  return (
    flag(portal.features, 'customer_update.enabled') &&
    texts(portal.features, 'customer_update.allowed_updates').includes(what)
  )
}

async function taxIdsOf(context: PagesContext, portal: Portal): Promise<ApiObject[]> {
  const path = `/v1/customers/${text(portal.customer, 'id')}/tax_ids`
  return list(await context.api('GET', path, { limit: 20 }), 'data')
}

function typedFrom(customer: ApiObject): Typed {
  return {
    name: text(customer, 'name') ?? '',
    email: text(customer, 'email') ?? '',
    phone: text(customer, 'phone') ?? '',
    ...typedAddress('address', child(customer, 'address')),
    shipping_name: text(customer, 'shipping.name') ?? '',
    ...typedAddress('shipping', child(customer, 'shipping.address')),
  }
}

function errorsIn(portal: Portal, typed: Typed): FormErrors {
  const errors: FormErrors = {}
  if (mayChange(portal, 'name') && !typed.name?.trim()) errors.name = 'Enter a name.'
  if (mayChange(portal, 'email') && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(typed.email?.trim() ?? ''))
    errors.email = 'Enter an email address such as jenny@example.com.'
  if (mayChange(portal, 'phone') && typed.phone && !/^\+?[\d\s().-]{5,20}$/.test(typed.phone.trim()))
    errors.phone = 'Enter a phone number such as +1 555 0100, at most 20 characters.'
  for (const kind of ['address', 'shipping'] as const) {
    const country = typed[`${kind}_country`]?.trim()
    if (mayChange(portal, kind) && country && !/^[A-Za-z]{2}$/.test(country))
      errors[`${kind}_country`] = 'Enter the two letters of a country, such as US.'
  }
  return errors
}

/** Only what the configuration allows; what was emptied is unset. */
function changesFrom(portal: Portal, typed: Typed): ApiObject {
  const shipping = {
    name: typed.shipping_name?.trim() || typed.name?.trim() || '',
    address: addressFrom('shipping', typed),
  }
  const address = addressFrom('address', typed)
  return {
    ...(mayChange(portal, 'name') && { name: typed.name?.trim() }),
    ...(mayChange(portal, 'email') && { email: typed.email?.trim() }),
    // Stripe's API takes a phone number but does not unset one.
    ...(mayChange(portal, 'phone') && typed.phone?.trim() && { phone: typed.phone.trim() }),
    ...(mayChange(portal, 'address') && { address: orUnset(address) }),
    ...(mayChange(portal, 'shipping') && { shipping: orUnset(shipping.address) === '' ? '' : shipping }),
  }
}

/** An address, or the empty value that unsets it. */
function orUnset(address: ApiObject): ApiObject | '' {
  return Object.keys(address).length > 0 ? address : ''
}

const TAX_TYPES = [
  'eu_vat',
  'gb_vat',
  'us_ein',
  'au_abn',
  'ca_gst_hst',
  'ch_vat',
  'in_gst',
  'jp_cn',
  'no_vat',
  'nz_gst',
  'sg_gst',
]

function informationPage(portal: Portal, typed: Typed, errors: FormErrors, taxIds: ApiObject[]): Html {
  const names = ['name', 'email', 'phone', 'address_country', 'shipping_country', 'tax_value']
  const input = (name: string, label: string, more: { type?: 'email'; autocomplete: string }) =>
    field({ name, label, value: typed[name], error: errors[name], ...more })
  return portalPage(
    portal,
    'Billing information',
    html`<h1>Billing information</h1>
<p class="muted">It appears on your future invoices.</p>
${errorSummary(errors, names)}
<form method="post" novalidate class="stack narrow" id="details">
${mayChange(portal, 'name') && input('name', 'Name', { autocomplete: 'name' })}
${mayChange(portal, 'email') && input('email', 'Email', { type: 'email', autocomplete: 'email' })}
${mayChange(portal, 'address') && html`<fieldset class="stack"><legend>Address</legend>${addressFields('address', typed, errors)}</fieldset>`}
${mayChange(portal, 'phone') && input('phone', 'Phone', { autocomplete: 'tel' })}
${
  mayChange(portal, 'shipping') &&
  html`<fieldset class="stack"><legend>Shipping address</legend>${input('shipping_name', 'Recipient', { autocomplete: 'shipping name' })}${addressFields('shipping', typed, errors)}</fieldset>`
}
${mayChange(portal, 'tax_id') && newTaxId(typed, errors)}
<div class="row"><button class="primary">Save</button>
<a class="button" href="${wayBack(portal, 'customer_update')}">Go back</a></div></form>
${
  taxIds.length > 0 &&
  html`<section class="stack-small narrow" aria-labelledby="tax-ids"><h2 id="tax-ids">Tax IDs</h2><ul class="plain rows">${taxIds.map(
    (
      taxId,
    ) => html`<li class="spread"><p>${text(taxId, 'value')} <span class="muted">${taxName(text(taxId, 'type') ?? '')}</span></p>
<form method="post" action="${portal.base}/tax-ids/${text(taxId, 'id')}/remove"><button class="small danger" aria-label="Remove ${text(taxId, 'value')}">Remove</button></form></li>`,
  )}</ul></section>`
}`,
  )
}

function newTaxId(typed: Typed, errors: FormErrors): Html {
  return html`<fieldset class="stack"><legend>Add a tax ID <span class="muted">Optional</span></legend><div class="pair">
<div class="field"><label for="tax_type">Type</label><select id="tax_type" name="tax_type">${TAX_TYPES.map(
    (type) => html`<option value="${type}"${type === typed.tax_type && html` selected`}>${taxName(type)}</option>`,
  )}</select></div>
${field({ name: 'tax_value', label: 'Number', value: typed.tax_value, error: errors.tax_value, autocomplete: 'off' })}</div></fieldset>`
}

/** `eu_vat` → "EU VAT". */
function taxName(type: string): string {
  return type.toUpperCase().replaceAll('_', ' ')
}
