import { Hono } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from '../context.ts'
import { errorSummary, type FormErrors, field, readForm } from '../form.ts'
import { type Html, status, time } from '../layout.ts'
import { flag, instant, list, reference, text } from '../wire.ts'
import { dashboardPage, table } from './frame.ts'
import { customerLink, EVENT_COLUMNS, eventRow, planOf } from './rows.ts'

const PATH = '/dashboard/clock'
const HOUR_MS = 3_600_000
const EVENTS_SHOWN = 100

const ENDS_SHOWN = 25

export interface PeriodEnd {
  subscription: string
  plan: string
  /** Their name, else their address, else their id. */
  customer: string
  customerId: string
  end: Date
}

/** When the current periods of live subscriptions end, soonest first; at most 25. Test clocks keep their own time. */
export async function periodEnds(context: PagesContext): Promise<PeriodEnd[]> {
  const upcoming: { subscription: ApiObject; end: Date }[] = []
  let after: string | null = null
  for (;;) {
    const page: ApiObject = await context.api('GET', '/v1/subscriptions', {
      limit: 100,
      ...(after && { starting_after: after }),
    })
    for (const subscription of list(page, 'data')) {
      const ends = list(subscription, 'items').map((item) => instant(item, 'current_period_end')?.getTime() ?? 0)
      const end = Math.min(...ends.filter((at) => at > context.now().getTime()))
      if (Number.isFinite(end)) upcoming.push({ subscription, end: new Date(end) })
    }
    after = text(list(page, 'data').at(-1), 'id')
    if (!flag(page, 'has_more') || !after) break
  }
  upcoming.sort((one, other) => one.end.getTime() - other.end.getTime())
  return Promise.all(upcoming.slice(0, ENDS_SHOWN).map(({ subscription, end }) => named(context, subscription, end)))
}

async function named(context: PagesContext, subscription: ApiObject, end: Date): Promise<PeriodEnd> {
  const customerId = reference(subscription, 'customer') ?? ''
  const customer = await context.api('GET', `/v1/customers/${customerId}`)
  return {
    subscription: text(subscription, 'id') ?? '',
    plan: await planOf(context, subscription),
    customer: text(customer, 'name') ?? text(customer, 'email') ?? customerId,
    customerId,
    end,
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
    const ends = await periodEnds(context)
    const found = form.subscription ? ends.find(({ subscription }) => subscription === form.subscription) : ends[0]
    return found?.end ?? { form: 'There is no subscription whose period could end.' }
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
  const ends = await periodEnds(context)
  const [next] = ends
  const clocks = list(await context.api('GET', '/v1/test_helpers/test_clocks', { limit: 25 }), 'data')
  return dashboardPage(
    PATH,
    'Clock',
    html`<h1>Clock</h1>${errorSummary(errors, ['to'])}
<section class="card stack"><div><p class="big">${time(context.now(), { year: true })}</p>
<p class="muted">${next ? html`${next.customer}'s period ends ${time(next.end)}.` : 'No subscription has a period that could end.'}</p></div>
<form method="post" class="row"><button name="by" value="hour">+ 1 hour</button><button name="by" value="day">+ 1 day</button>
${next && html`<button name="by" value="period" class="primary">To the period's end</button>`}</form>
<p class="muted">A renewal's invoice is a draft for an hour: go to the period's end, then add an hour, and it is final and charged.</p>
<form method="post" novalidate class="stack narrow">${field({ name: 'to', label: 'Advance to (UTC)', type: 'datetime-local', value: typed, error: errors.to })}
<div><button>Advance</button></div></form></section>
${since && (await happenings(context, since))}
${
  ends.length > 0 &&
  table({
    title: 'Periods',
    columns: ['Customer', { label: 'Plan', wide: true }, 'Ends', ''],
    rows: ends.map(
      ({ subscription, customer, customerId, plan, end }) =>
        html`<tr><td>${customerLink(customerId, customer)}</td><td class="wide-only">${plan}</td><td class="nowrap">${time(end)}</td>
<td class="number"><form method="post"><input type="hidden" name="subscription" value="${subscription}">
<button name="by" value="period" aria-label="To the period's end of ${customer}">Go there</button></form></td></tr>`,
    ),
    empty: '',
  })
}
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
