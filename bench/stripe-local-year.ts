import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createStripeLocal, type EmbeddedStripe } from 'stripe-local'
import { call } from './stripe-local-customers.ts'
import type { Row } from './world.ts'

const SUBSCRIPTIONS = Number(process.env.BENCH_SUBSCRIPTIONS ?? 10_000)
const MONTHS = 12
const SECONDS_MAX = 60
const BEGIN = Date.UTC(2026, 0, 10, 8)

/** A test clock that is moved through a year of subscriptions with usage in every month, all of them paid by card. */
export async function stripeLocalYear(): Promise<Row[]> {
  return [await year('no webhook endpoint', null), await year('one endpoint for invoice.paid', 'invoice.paid')]
}

async function year(what: string, eventType: string | null): Promise<Row> {
  const local = createStripeLocal({ testClockCustomersMax: Number.POSITIVE_INFINITY, aggregationDelayMs: 0 })
  const receiver = eventType === null ? null : await startReceiver()
  try {
    if (receiver)
      await call(local, 'POST', '/v1/webhook_endpoints', `url=${receiver.url}&enabled_events[]=${eventType}`)
    const { clock, customers } = await subscribe(local)
    const spent = { wallMs: 0, processorMs: 0, idleMs: 0 }
    for (let month = 0; month < MONTHS; month++) {
      for (const customer of customers) await use(local, customer, month)
      await local.idle()
      const began = performance.now()
      const used = process.cpuUsage()
      const loop = performance.eventLoopUtilization()
      await advance(local, clock, month)
      const { user, system } = process.cpuUsage(used)
      spent.wallMs += performance.now() - began
      spent.processorMs += (user + system) / 1_000
      spent.idleMs += performance.eventLoopUtilization(loop).idle
    }
    const seconds = quietMs(spent) / 1_000
    const each = Math.round((spent.processorMs * 1_000) / SUBSCRIPTIONS / MONTHS)
    return {
      what: `local Stripe: ${MONTHS} months of ${SUBSCRIPTIONS.toLocaleString('en-US')} subscriptions on a test clock, ${what}`,
      promised: `≤ ${SECONDS_MAX} s`,
      measured: `${seconds.toFixed(1)} s on a quiet machine (${inSeconds(spent.wallMs)} s here, ${inSeconds(spent.processorMs)} s of processor time: ${each} µs for a month of one; ${Math.round(process.memoryUsage().rss / 1e6)} MB, state in memory included)`,
      kept: seconds <= SECONDS_MAX,
    }
  } finally {
    await local.close()
    receiver?.stop()
  }
}

/**
 * What it takes where nobody else wants the processor: as long as it took here, less the time it stood in line for one. What
 * other threads of ours did is counted as if it had been done in line, so that this is never too little.
 */
function quietMs({ wallMs, processorMs, idleMs }: { wallMs: number; processorMs: number; idleMs: number }): number {
  return Math.min(wallMs, processorMs + idleMs)
}

function inSeconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1)
}

async function subscribe(local: EmbeddedStripe): Promise<{ clock: string; customers: string[] }> {
  const post = (path: string, body: string) => call(local, 'POST', path, body)
  const meter = await post(
    '/v1/billing/meters',
    'display_name=Tokens&event_name=tokens&default_aggregation[formula]=sum',
  )
  const price = await post(
    '/v1/prices',
    `currency=usd&unit_amount=5&transform_quantity[divide_by]=1000&transform_quantity[round]=up&recurring[interval]=month&recurring[usage_type]=metered&recurring[meter]=${meter.id}&product_data[name]=Essential`,
  )
  const clock = await post('/v1/test_helpers/test_clocks', `frozen_time=${BEGIN / 1_000}`)
  const customers: string[] = []
  for (let n = 0; n < SUBSCRIPTIONS; n++) {
    const { id } = await post('/v1/customers', `test_clock=${clock.id}&email=c${n}@example.com`)
    const card = await post('/v1/payment_methods/pm_card_visa/attach', `customer=${id}`)
    await post(`/v1/customers/${id}`, `invoice_settings[default_payment_method]=${card.id}`)
    await post('/v1/subscriptions', `customer=${id}&items[0][price]=${price.id}`)
    customers.push(id)
  }
  return { clock: clock.id, customers }
}

/** 123,456 tokens: 124 packages of five cents. */
async function use(local: EmbeddedStripe, customer: string, month: number): Promise<void> {
  const at = frozenIn(month)
  const payload = `payload[stripe_customer_id]=${customer}&payload[value]=123456`
  await call(local, 'POST', '/v1/billing/meter_events', `event_name=tokens&timestamp=${at}&${payload}`)
}

/** Two hours after the month's renewal: its invoices are finalized and paid. */
async function advance(local: EmbeddedStripe, clock: string, month: number): Promise<void> {
  await call(local, 'POST', `/v1/test_helpers/test_clocks/${clock}/advance`, `frozen_time=${frozenIn(month + 1)}`)
  for (;;) {
    const { status } = await call(local, 'GET', `/v1/test_helpers/test_clocks/${clock}`)
    if (status === 'ready') return
    if (status !== 'advancing') throw new Error(`The test clock is ${status}.`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function frozenIn(month: number): number {
  return month === 0 ? BEGIN / 1_000 : Date.UTC(2026, month, 10, 10) / 1_000
}

/** An endpoint in a process of its own that answers 200 to everything. */
async function startReceiver(): Promise<{ url: string; stop: () => void }> {
  const source = `const server = require('node:http').createServer((request, response) => { request.resume(); request.on('end', () => response.end()) })
server.listen(0, '127.0.0.1', () => console.log(server.address().port))`
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { url: `http://127.0.0.1:${port}/hooks`, stop: () => void child.kill('SIGKILL') }
}
