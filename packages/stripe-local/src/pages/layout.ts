import { html } from 'hono/html'

/** A piece of a page; what was interpolated into it is already escaped. */
export type Html = ReturnType<typeof html>

/** A whole document. `body` brings its own landmarks. */
export function page(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/stripe-local.css">
<script src="/assets/stripe-local.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
${body}
</body>
</html>`
}

/** The strip above every page that a customer would see. */
export function testMode(): Html {
  return html`<header class="test-mode"><strong>Local test mode</strong><span>No real card is charged, nothing leaves this machine.</span></header>`
}

/** One message in the middle of a page of its own. */
export function messagePage(title: string, message: Html | string, action?: { href: string; label: string }): Html {
  return page(
    title,
    html`${testMode()}<main id="main" class="single stack"><h1>${title}</h1><p class="muted">${message}</p>
${action && html`<p><a class="button" href="${action.href}">${action.label}</a></p>`}</main>`,
  )
}

const DATE = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric', year: 'numeric', timeZone: 'UTC' })
const TIME_OPTIONS = { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
const TIME = new Intl.DateTimeFormat('en-US', { ...TIME_OPTIONS, timeZone: 'UTC' })
const TIME_WITH_YEAR = new Intl.DateTimeFormat('en-US', { ...TIME_OPTIONS, year: 'numeric', timeZone: 'UTC' })

/** "Nov 24, 2026" of a UTC instant. */
export function formatDate(at: Date): string {
  return DATE.format(at)
}

/** "Nov 24, 14:05 UTC"; a browser shows it in the viewer's zone and keeps UTC as the title. */
export function time(at: Date | null, options: { year?: boolean } = {}): Html {
  if (!at) return html`<span class="muted">–</span>`
  const shown = (options.year ? TIME_WITH_YEAR : TIME).format(at)
  return html`<time datetime="${at.toISOString()}" data-local="${options.year ? 'year' : 'short'}">${shown} UTC</time>`
}

/** The id of an object, shortened in the middle, whole on hover. */
export function shortId(id: string): string {
  return id.length <= 20 ? id : `${id.slice(0, 11)}…${id.slice(-5)}`
}

const TONES: { [status: string]: string } = {
  active: 'positive',
  paid: 'positive',
  complete: 'positive',
  delivered: 'positive',
  succeeded: 'positive',
  enabled: 'positive',
  ready: 'positive',
  counted: 'positive',
  issued: 'positive',
  requires_action: 'warning',
  requires_confirmation: 'warning',
  requires_payment_method: 'warning',
  advancing: 'warning',
  paused: 'warning',
  rejected: 'danger',
  cancelled: 'void',
  trialing: 'accent',
  open: 'accent',
  pending: 'warning',
  draft: 'warning',
  past_due: 'danger',
  unpaid: 'danger',
  failed: 'danger',
  incomplete: 'warning',
  uncollectible: 'danger',
  void: 'void',
}

/** A status as a word with its colour. */
export function status(value: string): Html {
  return html`<span class="status ${TONES[value] ?? ''}">${value.replaceAll('_', ' ')}</span>`
}
