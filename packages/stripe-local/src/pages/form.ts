import type { Context } from 'hono'
import { html } from 'hono/html'
import type { Html } from './layout.ts'

/** What stands wrong in a form, by field; `form` when no single field is to blame. */
export type FormErrors = { [field: string]: string }

/** The text fields of a posted form; what is missing is empty. */
export async function readForm(c: Context): Promise<{ [field: string]: string }> {
  const body = await c.req.parseBody()
  return Object.fromEntries(
    Object.entries(body).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  )
}

export interface FieldOptions {
  name: string
  label: string
  value?: string | undefined
  error?: string | undefined
  help?: string
  type?: 'text' | 'email' | 'number' | 'datetime-local'
  autocomplete?: string
  inputmode?: 'numeric' | 'email' | 'text'
  placeholder?: string
  format?: 'number' | 'expiry' | 'cvc'
  maxlength?: number
  readonly?: boolean
}

/** A labelled input with its help and its error; the label alone is the accessible name. */
export function field(options: FieldOptions): Html {
  const { name, label, error, help } = options
  const described = [help && `${name}-help`, error && `${name}-error`].filter(Boolean).join(' ')
  const attributes: [string, string | number | undefined][] = [
    ['type', options.type ?? 'text'],
    ['value', options.value ?? ''],
    ['autocomplete', options.autocomplete],
    ['inputmode', options.inputmode],
    ['placeholder', options.placeholder],
    ['data-format', options.format],
    ['maxlength', options.maxlength],
    ['readonly', options.readonly ? '' : undefined],
    ['aria-invalid', error ? 'true' : undefined],
    ['aria-describedby', described || undefined],
  ]
  return html`<div class="field"><label for="${name}">${label}</label>
<input id="${name}" name="${name}"${attributes.map(([key, value]) => value !== undefined && html` ${key}="${value}"`)}>
${help && html`<p class="help" id="${name}-help">${help}</p>`}
${error && html`<p class="error" id="${name}-error">${error}</p>`}</div>`
}

/** What is wrong, before the form, with links to the fields; takes the focus. Nothing when all is well. */
export function errorSummary(errors: FormErrors, fields: readonly string[]): Html | null {
  const wrong = fields.filter((name) => errors[name])
  if (wrong.length === 0 && !errors.form) return null
  return html`<div class="notice danger" role="alert" tabindex="-1" autofocus data-summary>
${errors.form && html`<p><strong>${errors.form}</strong></p>`}
${
  wrong.length > 0 &&
  html`<p><strong>${wrong.length === 1 ? 'One field needs' : `${wrong.length} fields need`} your attention.</strong></p>
<ul>${wrong.map((name) => html`<li><a href="#${name}">${errors[name]}</a></li>`)}</ul>`
}</div>`
}
