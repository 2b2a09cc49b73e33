import { Hono } from 'hono'
import { html } from 'hono/html'
import { DEFAULT_READINGS, type Readings } from '../../readings.ts'
import type { PagesContext } from '../context.ts'
import { dashboardPage, table } from './frame.ts'

const PATH = '/dashboard/readings'

/** Which reading the local Stripe takes where the real one is silent. */
export function readingPages(context: PagesContext): Hono {
  const app = new Hono()
  app.get(PATH, (c) => {
    const readings = context.readings()
    const names = Object.keys(readings).sort() as (keyof Readings)[]
    return c.html(
      dashboardPage(
        PATH,
        'Readings',
        html`<h1>Readings</h1>
<p class="muted">Where Stripe's documentation is silent or contradicts itself, the local Stripe takes one reading. Another one is tried with <code>createStripeLocal({ readings: { … } })</code>.</p>
${table({
  columns: ['Reading', 'Taken', 'Default'],
  rows: names.map((name) => {
    const [taken, byDefault] = [String(readings[name]), String(DEFAULT_READINGS[name])]
    return html`<tr><th scope="row" class="plain">${spaced(name)}<div><code class="muted">${name}</code></div></th>
<td><code>${taken}</code>${taken !== byDefault && html` <span class="status accent">changed</span>`}</td><td><code class="muted">${byDefault}</code></td></tr>`
  }),
  empty: 'None.',
})}`,
      ),
    )
  })
  return app
}

/** `portalUpdatesMetered` → "Portal updates metered". */
function spaced(name: string): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}
