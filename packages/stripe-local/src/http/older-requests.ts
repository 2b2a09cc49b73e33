import type { RawFields } from './form.ts'
import type { Method } from './route.ts'

/** A request that Stripe words anew from a version on. */
interface Rewording {
  /** The first version with the new words. */
  since: string
  method: Method
  path: RegExp
  /** The same request in the new words. @see Stripe's changelog of that version */
  reword: (raw: RawFields) => RawFields
}

const CHECKOUT_UI_MODES: { [older: string]: string } = {
  custom: 'elements',
  embedded: 'embedded_page',
  hosted: 'hosted_page',
}

/** Oldest first: each finds the words of the one before. */
const REWORDINGS: Rewording[] = [
  // "Flexible billing mode is the default"; before, a subscription that says nothing is classic.
  {
    since: '2025-09-30',
    method: 'POST',
    path: /^\/v1\/subscriptions$/,
    reword: (raw) => ({ billing_mode: { type: 'classic' }, ...raw }),
  },
  {
    since: '2025-09-30',
    method: 'POST',
    path: /^\/v1\/checkout\/sessions$/,
    reword: (raw) =>
      raw.mode === 'subscription'
        ? { ...raw, subscription_data: { billing_mode: { type: 'classic' }, ...fields(raw.subscription_data) } }
        : raw,
  },
  {
    since: '2026-03-25',
    method: 'POST',
    path: /^\/v1\/checkout\/sessions$/,
    reword: (raw) => {
      const mode = typeof raw.ui_mode === 'string' ? CHECKOUT_UI_MODES[raw.ui_mode] : undefined
      return mode === undefined ? raw : { ...raw, ui_mode: mode }
    },
  },
  {
    since: '2026-09-30',
    method: 'POST',
    path: /^\/v1\/(checkout\/sessions|(payment|setup)_intents(\/[^/]+(\/confirm)?)?)$/,
    reword: ({ payment_method_types: types, ...raw }) =>
      types === undefined ? raw : { ...raw, allowed_payment_method_types: types },
  },
  {
    since: '2026-09-30',
    method: 'POST',
    path: /^\/v1\/subscriptions\/[^/]+(\/resume)?$/,
    reword: (raw) => rewordAnchor(raw),
  },
  {
    since: '2026-09-30',
    method: 'POST',
    path: /^\/v1\/invoices\/create_preview$/,
    reword: (raw) =>
      raw.subscription_details === undefined
        ? raw
        : { ...raw, subscription_details: rewordAnchor(fields(raw.subscription_details)) },
  },
]

/** A request as the pinned version would word it; `version` is the one it was sent in, null for the pinned one. */
export function inPinnedWords(version: string | null, method: string, path: string, raw: RawFields): RawFields {
  if (version === null) return raw
  const applicable = REWORDINGS.filter(
    (one) => version.slice(0, one.since.length) < one.since && one.method === method && one.path.test(path),
  )
  return applicable.reduce((reworded, { reword }) => reword(reworded), raw)
}

/** `now`, `unchanged` or an instant, instead of an object that says which. */
function rewordAnchor(raw: RawFields): RawFields {
  const anchor = raw.billing_cycle_anchor
  if (typeof anchor !== 'string') return raw
  const named = anchor === 'now' || anchor === 'unchanged'
  return { ...raw, billing_cycle_anchor: named ? { type: anchor } : { type: 'timestamp', timestamp: anchor } }
}

function fields(raw: RawFields[string] | undefined): RawFields {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? raw : {}
}
