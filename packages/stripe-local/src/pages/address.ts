import { html } from 'hono/html'
import type { ApiObject } from './context.ts'
import { type FormErrors, field } from './form.ts'
import type { Html } from './layout.ts'
import { text } from './wire.ts'

const PARTS = ['line1', 'line2', 'postal_code', 'city', 'state', 'country'] as const

/** The lines of an address as it is written on an envelope. */
export function addressLines(address: ApiObject | null): string[] {
  if (!address) return []
  const town = [text(address, 'postal_code'), text(address, 'city'), text(address, 'state')].filter(Boolean).join(' ')
  return [text(address, 'line1'), text(address, 'line2'), town, text(address, 'country')].filter(
    (line): line is string => line !== null && line !== '',
  )
}

export function describeAddress(address: ApiObject | null): string | null {
  return addressLines(address).join(', ') || null
}

/** An address as the fields of a form, each beginning with `prefix`. */
export function typedAddress(prefix: string, address: ApiObject | null): { [field: string]: string } {
  return Object.fromEntries(PARTS.map((part) => [`${prefix}_${part}`, text(address, part) ?? '']))
}

/** The fields of a form as an address, without what was left empty; the reverse of `typedAddress`. */
export function addressFrom(prefix: string, typed: { [field: string]: string }): { [part: string]: string } {
  return Object.fromEntries(
    PARTS.flatMap((part) => {
      const value = typed[`${prefix}_${part}`]?.trim() ?? ''
      return value === '' ? [] : [[part, part === 'country' ? value.toUpperCase() : value]]
    }),
  )
}

export function addressFields(prefix: string, typed: { [field: string]: string }, errors: FormErrors): Html {
  const kind = prefix === 'shipping' ? 'shipping' : 'billing'
  const input = (part: (typeof PARTS)[number], label: string, autocomplete: string) => {
    const name = `${prefix}_${part}`
    return field({ name, label, value: typed[name], error: errors[name], autocomplete: `${kind} ${autocomplete}` })
  }
  return html`${input('line1', 'Address line 1', 'address-line1')}${input('line2', 'Address line 2', 'address-line2')}
<div class="pair">${input('postal_code', 'Postal code', 'postal-code')}${input('city', 'City', 'address-level2')}</div>
<div class="pair">${input('state', 'State or region', 'address-level1')}${input('country', 'Country (two letters)', 'country')}</div>`
}
