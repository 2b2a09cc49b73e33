import { setTimeout as wait } from 'node:timers/promises'
import { Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../../http/errors.ts'
import type { ApiObject, PagesContext } from '../context.ts'
import { errorSummary, type FormErrors, field, readForm } from '../form.ts'
import { type Html, status, time } from '../layout.ts'
import { flag, instant, list, text } from '../wire.ts'
import { dueInWords, type PeriodEnd, periodCustomer, periodEnds } from './due.ts'
import { dashboardPage, table } from './frame.ts'
import { EVENT_COLUMNS, eventRow } from './rows.ts'

const PATH = '/dashboard/clock'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const EVENTS_SHOWN = 100
const DUE_SHOWN = 25
/** Most moves are done by then; longer ones are watched. */
const PATIENCE_MS = 1500

/** A move of the clock that is under way, or failed. */
interface Move {
  from: number
  to: Date
  since: string
  error: string | null
  done: boolean
}

/** The local time, moved forward by hand, and what happened on the way. */
export function clockPages(context: PagesContext): Hono {
  const app = new Hono()
  let move: Move | null = null

  app.get(PATH, async (c) => {
    const { since, told } = c.req.query()
    if (move && !move.done) return c.html(progressPage(context, move))
    const failed: FormErrors = move?.error ? { form: move.error } : {}
    move = null
    return c.html(await clockPage(context, since, failed, {}, told))
  })

  app.post(PATH, async (c) => {
    const form = await readForm(c)
    if (move && !move.done) return c.redirect(PATH, 303)
    const target = await targetOf(context, form)
    if (!(target instanceof Date)) return c.html(await clockPage(context, undefined, target, form), 422)
    const newest = text(list(await context.api('GET', '/v1/events', { limit: 1 }), 'data')[0], 'id')
    const started: Move = {
      from: context.now().getTime(),
      to: target,
      since: newest ?? 'start',
      error: null,
      done: false,
    }
    move = started
    const moving = context.dashboard.advance(target).then(
      () => {
        started.done = true
      },
      (error) => {
        started.done = true
        started.error = error instanceof Error ? error.message : String(error)
      },
    )
    await Promise.race([moving, wait(PATIENCE_MS, undefined, { ref: false })])
    return c.redirect(`${PATH}?since=${started.since}`, 303)
  })

  app.post(`${PATH}/test-clocks`, async (c) => {
    const form = await readForm(c)
    const at = new Date(`${form.frozen}Z`)
    const errors: FormErrors = Number.isNaN(at.getTime()) ? { frozen: 'Enter a date and a time.' } : {}
    if (errors.frozen) return c.html(await clockPage(context, undefined, errors, form), 422)
    await context.api('POST', '/v1/test_helpers/test_clocks', {
      frozen_time: at.getTime() / 1000,
      ...(form.name?.trim() && { name: form.name.trim() }),
    })
    return c.redirect(`${PATH}?told=created#test-clocks`, 303)
  })

  app.post(`${PATH}/test-clocks/:id`, async (c) => {
    const path = `/v1/test_helpers/test_clocks/${c.req.param('id')}`
    const { by } = await readForm(c)
    try {
      if (by === 'delete') await context.api('DELETE', path)
      else {
        const frozen = instant(await context.api('GET', path), 'frozen_time') ?? context.now()
        await context.api('POST', `${path}/advance`, {
          frozen_time: Math.floor(clockTarget(frozen, by).getTime() / 1000),
        })
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return c.html(await clockPage(context, undefined, { form: error.message }, {}), 422)
    }
    return c.redirect(`${PATH}?told=${by === 'delete' ? 'deleted' : 'advanced'}#test-clocks`, 303)
  })

  return app
}

function clockTarget(from: Date, by: string | undefined): Date {
  if (by === 'month') {
    const to = new Date(from)
    to.setUTCMonth(to.getUTCMonth() + 1)
    return to
  }
  return new Date(from.getTime() + (by === 'day' ? DAY_MS : HOUR_MS))
}

/** Where the pressed button leads, or what is wrong with the typed time. */
async function targetOf(context: PagesContext, form: { [field: string]: string }): Promise<Date | FormErrors> {
  const now = context.now()
  if (form.by === 'hour' || form.by === 'day' || form.by === 'month') return clockTarget(now, form.by)
  if (form.by === 'period') {
    const ends = await periodEnds(context, DUE_SHOWN)
    const found = form.subscription ? ends.find(({ subscription }) => subscription === form.subscription) : ends[0]
    return found?.end ?? { form: 'There is no subscription whose period could end.' }
  }
  const to = new Date(`${form.to}Z`)
  if (Number.isNaN(to.getTime())) return { to: 'Enter a date and a time.' }
  return to > now ? to : { to: 'The clock only moves forward: enter a time after the local time.' }
}

const TOLD: { [what: string]: string } = {
  created: 'The test clock is made. Create customers with its id.',
  advanced: 'The test clock moves. It is ready again when all on the way has happened.',
  deleted: 'The test clock is deleted, with its customers.',
}

function progressPage(context: PagesContext, { from, to, since }: Move): Html {
  const now = context.now()
  const done = Math.floor(((now.getTime() - from) / Math.max(1, to.getTime() - from)) * 100)
  return dashboardPage(
    PATH,
    'Clock',
    html`<h1>Clock</h1><section class="card stack" data-refresh="800"><p role="status">Moving to ${time(to, { year: true })}. It is ${time(now, { year: true })}.</p>
<progress class="progress" max="100" value="${done}" aria-label="How far the clock has moved">${done}%</progress>
<p class="muted">Everything that falls due on the way happens in order, and its webhooks are sent.</p>
<p><a class="button" href="${PATH}?since=${since}">Look again</a></p></section>`,
  )
}

async function clockPage(
  context: PagesContext,
  since: string | undefined,
  errors: FormErrors,
  typed: { [field: string]: string },
  told?: string,
): Promise<Html> {
  const ends = await periodEnds(context, DUE_SHOWN)
  const due = context.dashboard.upcoming(DUE_SHOWN)
  const [next] = ends
  const said = told && TOLD[told]
  return dashboardPage(
    PATH,
    'Clock',
    html`<h1>Clock</h1>${said && html`<p class="notice positive" role="status">${said}</p>`}${errorSummary(errors, ['to', 'frozen'])}
<section class="card stack"><div><p class="big">${time(context.now(), { year: true })}</p>
<p class="muted">${next ? html`${next.customer}'s period ends ${time(next.end)}.` : 'No subscription has a period that could end.'}</p></div>
<form method="post" class="row"><button name="by" value="hour">+ 1 hour</button><button name="by" value="day">+ 1 day</button><button name="by" value="month">+ 1 month</button>
${next && html`<button name="by" value="period" class="primary">To the period's end</button>`}</form>
<p class="muted">A renewal's invoice is a draft for an hour: go to the period's end, then add an hour, and it is final and charged.</p>
<form method="post" novalidate class="inline-form">${field({ name: 'to', label: 'Advance to (UTC)', type: 'datetime-local', value: typed.to, error: errors.to })}
<button>Advance</button></form></section>
${since && (await happenings(context, since))}
${ends.length > 0 && periodsTable(ends)}
${
  due.length > 0 &&
  table({
    title: 'Due next',
    columns: ['What', 'When'],
    rows: due.map((thing) => html`<tr><td>${dueInWords(thing)}</td><td class="nowrap">${time(thing.at)}</td></tr>`),
    empty: '',
  })
}
${await testClocks(context, errors, typed)}`,
  )
}

function periodsTable(ends: PeriodEnd[]): Html {
  return table({
    title: 'Periods',
    columns: ['Customer', { label: 'Plan', wide: true }, 'Ends', { label: 'Move', hidden: true }],
    rows: ends.map(
      (
        one,
      ) => html`<tr><td>${periodCustomer(one)}</td><td class="wide-only">${one.plan}</td><td class="nowrap">${time(one.end)}</td>
<td class="number"><form method="post"><input type="hidden" name="subscription" value="${one.subscription}">
<button name="by" value="period" class="small" aria-label="Go there: the period's end of ${one.customer}">Go there</button></form></td></tr>`,
    ),
    empty: '',
  })
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

async function testClocks(
  context: PagesContext,
  errors: FormErrors,
  typed: { [field: string]: string },
): Promise<Html> {
  const clocks = list(await context.api('GET', '/v1/test_helpers/test_clocks', { limit: 25 }), 'data')
  const frozen = typed.frozen ?? context.now().toISOString().slice(0, 16)
  return html`<section class="card flush" id="test-clocks"><h2>Test clocks</h2>
${
  clocks.length > 0 &&
  html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Clock</th><th scope="col">Frozen at</th><th scope="col" class="wide-only">Status</th><th scope="col"><span class="visually-hidden">Move</span></th></tr></thead>
<tbody>${clocks.map(clockRow)}</tbody></table></div>`
}
<form method="post" action="${PATH}/test-clocks" novalidate class="inline-form padded">
${field({ name: 'name', label: 'Name', value: typed.name, placeholder: 'Optional' })}
${field({ name: 'frozen', label: 'Frozen at (UTC)', type: 'datetime-local', value: frozen, error: errors.frozen })}
<button>New test clock</button></form></section>`
}

function clockRow(clock: ApiObject): Html {
  const id = text(clock, 'id') ?? ''
  const name = text(clock, 'name')
  const moving = text(clock, 'status') !== 'ready'
  const button = (by: string, label: string) =>
    html`<button class="small${by === 'delete' && html` danger`}" name="by" value="${by}" aria-label="${label} ${name ?? id}"${moving && html` disabled`}>${label}</button>`
  return html`<tr><td>${name && html`${name}<br>`}<a class="id" href="/dashboard/customers?test_clock=${id}">${id}</a></td>
<td class="nowrap">${time(instant(clock, 'frozen_time'), { year: true })}</td><td class="wide-only">${status(text(clock, 'status') ?? '')}</td>
<td><form method="post" action="${PATH}/test-clocks/${id}" class="row end">${button('hour', '+ 1 hour')}${button('day', '+ 1 day')}${button('month', '+ 1 month')}${button('delete', 'Delete')}</form></td></tr>`
}
