import { Hono } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from '../context.ts'
import { errorSummary, type FormErrors, field, readForm } from '../form.ts'
import { type Html, status, time } from '../layout.ts'
import { flag, instant, list, text } from '../wire.ts'
import { dashboardPage, table } from './frame.ts'
import { EVENT_COLUMNS, eventRow } from './rows.ts'

const PATH = '/dashboard/clock'
const HOUR_MS = 3_600_000
const EVENTS_SHOWN = 100

/** The earliest end of a live subscription's current period; null without subscriptions. Test clocks keep their own time. */
export async function nextPeriodEnd(context: PagesContext): Promise<Date | null> {
  let earliest: Date | null = null
  let after: string | null = null
  for (;;) {
    const page: ApiObject = await context.api('GET', '/v1/subscriptions', {
      limit: 100,
      ...(after && { starting_after: after }),
    })
    for (const item of list(page, 'data').flatMap((subscription) => list(subscription, 'items'))) {
      const end = instant(item, 'current_period_end')
      if (end && end > context.now() && (!earliest || end < earliest)) earliest = end
    }
    after = text(list(page, 'data').at(-1), 'id')
    if (!flag(page, 'has_more') || !after) return earliest
  }
}

/** The local time, moved forward by hand, and what happened on the way. */
export function clockPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => c.html(await clockPage(context, c.req.query('since'), {})))

  app.post(PATH, async (c) => {
    const form = await readForm(c)
    const target = await targetOf(context, form)
    if (!(target instanceof Date)) return c.html(await clockPage(context, undefined, target, form.to), 422)
    const newest = text(list(await context.api('GET', '/v1/events', { limit: 1 }), 'data')[0], 'id')
    await context.dashboard.advance(target)
    return c.redirect(`${PATH}?since=${newest ?? 'start'}`, 303)
  })

  return app
}

/** Where the pressed button leads, or what is wrong with the typed time. */
async function targetOf(context: PagesContext, form: { [field: string]: string }): Promise<Date | FormErrors> {
  const now = context.now()
  if (form.by === 'hour') return new Date(now.getTime() + HOUR_MS)
  if (form.by === 'day') return new Date(now.getTime() + 24 * HOUR_MS)
  if (form.by === 'period') {
    return (await nextPeriodEnd(context)) ?? { form: 'There is no subscription whose period could end.' }
  }
  const to = new Date(`${form.to}Z`)
  if (Number.isNaN(to.getTime())) return { to: 'Enter a date and a time.' }
  return to > now ? to : { to: 'The clock only moves forward: enter a time after the local time.' }
}

async function clockPage(
  context: PagesContext,
  since: string | undefined,
  errors: FormErrors,
  typed = '',
): Promise<Html> {
  const end = await nextPeriodEnd(context)
  const clocks = list(await context.api('GET', '/v1/test_helpers/test_clocks', { limit: 25 }), 'data')
  return dashboardPage(
    PATH,
    'Clock',
    html`<h1>Clock</h1>${errorSummary(errors, ['to'])}
<section class="card stack"><div><p class="big">${time(context.now(), { year: true })}</p>
<p class="muted">${end ? html`The next period ends ${time(end)}.` : 'No subscription has a period that could end.'}</p></div>
<form method="post" class="row"><button name="by" value="hour">+ 1 hour</button><button name="by" value="day">+ 1 day</button>
${end && html`<button name="by" value="period" class="primary">To the period's end</button>`}</form>
<p class="muted">A renewal's invoice is a draft for an hour: go to the period's end, then add an hour, and it is final and charged.</p>
<form method="post" novalidate class="stack narrow">${field({ name: 'to', label: 'Advance to (UTC)', type: 'datetime-local', value: typed, error: errors.to })}
<div><button>Advance</button></div></form></section>
${since && (await happenings(context, since))}
${
  clocks.length > 0 &&
  table({
    title: 'Test clocks',
    columns: ['Clock', 'Frozen at', 'Status'],
    rows: clocks.map((clock) => {
      const id = text(clock, 'id') ?? ''
      return html`<tr><td>${text(clock, 'name') ?? ''} <a class="id" href="/dashboard/customers?test_clock=${id}">${id}</a></td>
<td>${time(instant(clock, 'frozen_time'), { year: true })}</td><td>${status(text(clock, 'status') ?? '')}</td></tr>`
    }),
    empty: '',
  })
}`,
  )
}

/** The events since the one that was the newest, in the order they happened. */
async function happenings(context: PagesContext, since: string): Promise<Html> {
  const after = since === 'start' ? {} : { ending_before: since }
  const events = await context.api('GET', '/v1/events', { limit: EVENTS_SHOWN, ...after })
  return html`${table({
    title: 'What happened',
    columns: EVENT_COLUMNS,
    rows: list(events, 'data').toReversed().map(eventRow),
    empty: 'Time passed, and nothing fell due.',
  })}${flag(events, 'has_more') && html`<p class="muted">And more: <a href="/dashboard/events">all events</a>.</p>`}`
}
