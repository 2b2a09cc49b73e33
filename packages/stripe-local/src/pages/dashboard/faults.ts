import { Hono } from 'hono'
import { html } from 'hono/html'
import type { FaultSettings, PagesContext } from '../context.ts'
import { errorSummary, type FormErrors, field, readForm } from '../form.ts'
import type { Html } from '../layout.ts'
import { dashboardPage } from './frame.ts'

const PATH = '/dashboard/faults'
const STATUSES = [409, 429, 500, 503] as const
const MODES = ['duplicate', 'reorder', 'drop'] as const
const DECLINES = [
  'generic_decline',
  'insufficient_funds',
  'lost_card',
  'stolen_card',
  'expired_card',
  'incorrect_cvc',
  'processing_error',
  'do_not_honor',
]
const REJECTIONS = [
  'meter_event_customer_not_found',
  'meter_event_no_customer_defined',
  'meter_event_invalid_value',
  'meter_event_value_too_many_digits',
  'archived_meter',
  'timestamp_too_far_in_past',
  'timestamp_in_future',
]
const COUNTED: { [kind: string]: string } = {
  webhooks: 'How many deliveries',
  declines: 'How many charges',
  rejections: 'How many meter events',
}
type Kind = keyof FaultSettings
type Form = { [field: string]: string }

const KINDS: { kind: Kind; title: string; does: string; withPath: boolean }[] = [
  {
    kind: 'answer',
    title: 'Answer with an error',
    does: 'Requests get this status instead of their answer.',
    withPath: true,
  },
  {
    kind: 'loseAnswers',
    title: 'Lose answers',
    does: 'The work is done, then the connection is closed without a word.',
    withPath: true,
  },
  {
    kind: 'dropRequests',
    title: 'Drop requests',
    does: 'The connection is closed and nothing is done.',
    withPath: true,
  },
  {
    kind: 'hang',
    title: 'Hang',
    does: 'No answer ever comes; nothing is done. The connection stays open until the client gives up.',
    withPath: true,
  },
  { kind: 'delay', title: 'Delay answers', does: 'Answers come only after a while.', withPath: true },
  {
    kind: 'declines',
    title: 'Decline cards',
    does: 'Every charge fails with this code, whatever the card.',
    withPath: false,
  },
  {
    kind: 'rejections',
    title: 'Reject usage later',
    does: 'Meter events are accepted, then rejected by a thin event with this code.',
    withPath: false,
  },
  {
    kind: 'webhooks',
    title: 'Disturb webhooks',
    does: 'Events are sent twice, in the wrong order, or not at all.',
    withPath: false,
  },
]

/** Switches that make the local Stripe misbehave on purpose. */
export function faultPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, (c) =>
    c.html(faultsPage(formOf(context.dashboard.faults.read()), {}, c.req.query('saved') !== undefined)),
  )

  app.post(PATH, async (c) => {
    const form = await readForm(c)
    const { settings, errors } = form.off ? { settings: {}, errors: {} } : settingsOf(form)
    if (Object.keys(errors).length > 0) return c.html(faultsPage(form, errors, false), 422)
    context.dashboard.faults.write(settings)
    return c.redirect(`${PATH}?saved`, 303)
  })

  return app
}

/** Settings as the form's fields; the reverse of `settingsOf`. */
function formOf(settings: FaultSettings): Form {
  const form: Form = {}
  for (const { kind } of KINDS) {
    const fault = settings[kind]
    if (!fault || fault.count <= 0) continue
    if (fault.count === Number.POSITIVE_INFINITY) form[`${kind}-always`] = 'on'
    else form[`${kind}-count`] = String(fault.count)
    if ('path' in fault && fault.path) form[`${kind}-path`] = fault.path
  }
  if (settings.answer) form['answer-status'] = String(settings.answer.status)
  if (settings.answer?.afterWork) form['answer-after'] = 'on'
  if (settings.delay) form['delay-milliseconds'] = String(settings.delay.milliseconds)
  if (settings.webhooks) form['webhooks-mode'] = settings.webhooks.mode
  if (settings.declines) form['declines-code'] = settings.declines.code
  if (settings.rejections) form['rejections-code'] = settings.rejections.code
  return form
}

function settingsOf(form: Form): { settings: FaultSettings; errors: FormErrors } {
  const errors: FormErrors = {}
  const counted = (kind: Kind) => {
    const count = form[`${kind}-always`] ? Number.POSITIVE_INFINITY : Number(form[`${kind}-count`] || 0)
    if (count !== Number.POSITIVE_INFINITY && (!Number.isInteger(count) || count < 0))
      errors[`${kind}-count`] = 'Enter a whole number, or leave it empty to turn this off.'
    const path = form[`${kind}-path`]?.trim()
    if (path && !path.startsWith('/'))
      errors[`${kind}-path`] = 'A path begins with a slash, such as /v1/billing/meter_events.'
    return count > 0 ? { count, ...(path && { path }) } : null
  }
  const [answer, loseAnswers, dropRequests, hang, delay, declines, rejections, webhooks] = KINDS.map(({ kind }) =>
    counted(kind),
  )
  const milliseconds = Number(form['delay-milliseconds'] || 1000)
  if (!Number.isInteger(milliseconds) || milliseconds < 0 || milliseconds > 120_000)
    errors['delay-milliseconds'] = 'Enter whole milliseconds, at most 120000.'
  const status = STATUSES.find((value) => String(value) === form['answer-status']) ?? 500
  const mode = MODES.find((value) => value === form['webhooks-mode']) ?? 'duplicate'
  const settings: FaultSettings = {
    ...(answer && { answer: { ...answer, status, afterWork: form['answer-after'] === 'on' } }),
    ...(loseAnswers && { loseAnswers }),
    ...(dropRequests && { dropRequests }),
    ...(hang && { hang }),
    ...(delay && { delay: { ...delay, milliseconds } }),
    ...(declines && { declines: { count: declines.count, code: oneOf(DECLINES, form['declines-code']) } }),
    ...(rejections && { rejections: { count: rejections.count, code: oneOf(REJECTIONS, form['rejections-code']) } }),
    ...(webhooks && { webhooks: { count: webhooks.count, mode } }),
  }
  return { settings, errors }
}

function faultsPage(form: Form, errors: FormErrors, saved: boolean): Html {
  const names = KINDS.flatMap(({ kind }) => [`${kind}-count`, `${kind}-milliseconds`, `${kind}-path`])
  return dashboardPage(
    PATH,
    'Faults',
    html`<h1>Faults</h1>
<p class="muted">See how your code behaves when Stripe does not. Each fault strikes the next requests and counts down; pages are spared.</p>
${saved && html`<p class="notice positive" role="status">Saved.</p>`}${errorSummary(errors, names)}
<form method="post" novalidate class="stack"><div class="grid">
${KINDS.map(
  ({
    kind,
    title,
    does,
    withPath,
  }) => html`<fieldset class="card"><legend class="visually-hidden">${title}</legend><div class="stack">
<div class="spread"><h2 aria-hidden="true">${title}</h2>${isOn(form, kind) ? html`<span class="status warning">on</span>` : html`<span class="status">off</span>`}</div>
<p class="muted">${does}</p>
${kind === 'answer' && select('answer-status', 'Status', STATUSES.map(String), form['answer-status'] ?? '500')}
${kind === 'delay' && field({ name: 'delay-milliseconds', label: 'Milliseconds', value: form['delay-milliseconds'] ?? '1000', error: errors['delay-milliseconds'], inputmode: 'numeric' })}
${kind === 'declines' && select('declines-code', 'Decline code', DECLINES, form['declines-code'] ?? '')}
${kind === 'rejections' && select('rejections-code', 'Error code', REJECTIONS, form['rejections-code'] ?? '')}
${kind === 'webhooks' && select('webhooks-mode', 'How', MODES, form['webhooks-mode'] ?? 'duplicate')}
${field({ name: `${kind}-count`, label: COUNTED[kind] ?? 'How many requests', value: form[`${kind}-count`], error: errors[`${kind}-count`], inputmode: 'numeric', placeholder: 'Off' })}
${check(`${kind}-always`, 'Until turned off', form[`${kind}-always`])}
${withPath && field({ name: `${kind}-path`, label: 'Only paths that begin with', value: form[`${kind}-path`], error: errors[`${kind}-path`], placeholder: '/v1/billing/meter_events' })}
${kind === 'answer' && check('answer-after', 'Do the work first', form['answer-after'])}
</div></fieldset>`,
)}</div>
<div class="row"><button class="primary">Save</button><button name="off" value="yes">Turn all off</button></div></form>`,
  )
}

function oneOf(values: string[], typed: string | undefined): string {
  return values.find((value) => value === typed) ?? values[0]!
}

function isOn(form: Form, kind: Kind): boolean {
  return form[`${kind}-always`] === 'on' || Number(form[`${kind}-count`] || 0) > 0
}

function select(name: string, label: string, options: readonly string[], value: string): Html {
  return html`<div class="field"><label for="${name}">${label}</label><select id="${name}" name="${name}">
${options.map((option) => html`<option${option === value && html` selected`}>${option}</option>`)}</select></div>`
}

function check(name: string, label: string, value: string | undefined): Html {
  return html`<label class="check"><input type="checkbox" name="${name}"${value === 'on' && html` checked`}>${label}</label>`
}
