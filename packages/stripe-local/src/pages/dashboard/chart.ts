import { html } from 'hono/html'
import type { Html } from '../layout.ts'
import { formatQuantity } from '../money.ts'

export interface Bar {
  at: Date
  value: number
}

const WIDTH = 960
const HEIGHT = 180
const LEFT = 8
const TOP = 24
const BOTTOM = 22

const DAY = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric', timeZone: 'UTC' })
const HOUR = new Intl.DateTimeFormat('en-US', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'UTC' })

/** A bar for each step of time, drawn as SVG, with a sentence that says it all and the numbers as a table. */
export function barChart(bars: Bar[], window: 'hour' | 'day'): Html {
  const label = window === 'hour' ? HOUR : DAY
  const most = Math.max(...bars.map(({ value }) => value), 0)
  const total = bars.reduce((sum, { value }) => sum + value, 0)
  const step = (WIDTH - 2 * LEFT) / bars.length
  const base = HEIGHT - BOTTOM
  const tall = (value: number) => (most === 0 ? 0 : (Math.max(value, 0) / most) * (base - TOP))
  const first = bars[0]
  const last = bars.at(-1)
  const sentence = `${formatQuantity(total)} from ${first ? label.format(first.at) : ''} to ${last ? label.format(last.at) : ''}, at most ${formatQuantity(most)} in one ${window}.`
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${sentence}" preserveAspectRatio="none">
<line class="axis" x1="${LEFT}" x2="${WIDTH - LEFT}" y1="${TOP}" y2="${TOP}"/><line class="axis" x1="${LEFT}" x2="${WIDTH - LEFT}" y1="${base}" y2="${base}"/>
${bars.map(({ at, value }, index) => {
  const height = tall(value)
  return html`<rect x="${(LEFT + index * step + step * 0.12).toFixed(1)}" y="${(base - height).toFixed(1)}" width="${(step * 0.76).toFixed(1)}" height="${height.toFixed(1)}" rx="2"><title>${label.format(at)}: ${formatQuantity(value)}</title></rect>`
})}</svg>
<div class="spread small muted"><span>${first && label.format(first.at)}</span><span>most: ${formatQuantity(most)} a ${window}</span><span>${last && label.format(last.at)}</span></div>
<details><summary class="small muted">As a table</summary><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">${window === 'hour' ? 'Hour' : 'Day'}</th><th scope="col" class="number">Used</th></tr></thead>
<tbody>${bars.filter(({ value }) => value !== 0).map(({ at, value }) => html`<tr><td>${label.format(at)}</td><td class="number">${formatQuantity(value)}</td></tr>`)}
${total === 0 && most === 0 && html`<tr><td colspan="2" class="muted">Nothing in this time.</td></tr>`}</tbody></table></div></details>`
}
