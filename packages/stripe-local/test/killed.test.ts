import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Stripe } from 'stripe'

const CLI = join(import.meta.dirname, '../src/cli.ts')
const SEED = 20_260_110
const ROUNDS = 4
const CLIENTS = 6

function stateFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'stripe-local-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'state.sqlite')
}

/** The command line in a process of its own, and a client of it. */
async function start(t: TestContext, file: string): Promise<{ child: ChildProcess; stripe: Stripe }> {
  const child = spawn(process.execPath, [CLI, '--file', file, '--port', '0', '--json', '--quiet'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
  const { url, secretKey } = JSON.parse(line) as { url: string; secretKey: string }
  const { hostname, port } = new URL(url)
  const address = { host: hostname, port: Number(port), protocol: 'http' as const }
  return { child, stripe: new Stripe(secretKey, { ...address, maxNetworkRetries: 0, telemetry: false }) }
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Answered {
  key: string
  id: string
  /** Its meter event was answered as well. */
  metered: boolean
}

/** Creates customers, each with a key, and subscribes and meters them, until the connection is lost. */
async function keepBusy(stripe: Stripe, client: string, price: string, answered: Answered[]): Promise<void> {
  for (let count = 0; ; count += 1) {
    const key = `${client}-${count}`
    try {
      const customer = await stripe.customers.create({ metadata: { key } }, { idempotencyKey: key })
      const entry = { key, id: customer.id, metered: false }
      answered.push(entry)
      await stripe.subscriptions.create({ customer: customer.id, items: [{ price }] })
      await meter(stripe, entry)
      entry.metered = true
    } catch (error) {
      if (error instanceof Stripe.errors.StripeConnectionError) return
      throw error
    }
  }
}

test(`kill -9 at a random moment, ${ROUNDS} times: what was answered is there, once, and its key replays`, async (t) => {
  const file = stateFile(t)
  const random = randomFrom(SEED)
  const answered: Answered[] = []
  let price: string | undefined
  for (let round = 0; round < ROUNDS; round += 1) {
    const { child, stripe } = await start(t, file)
    price ??= await meteredPrice(stripe)
    const before = answered.length
    const clients = Array.from({ length: CLIENTS }, (_, n) => keepBusy(stripe, `${round}-${n}`, price!, answered))
    while (answered.length < before + 5) await wait(5)
    await wait(random() * 200)
    await end(child, 'SIGKILL')
    await Promise.all(clients)
  }

  const { child, stripe } = await start(t, file)
  const stored = new Map<string, string[]>()
  for await (const { id, metadata } of stripe.customers.list({ limit: 100 }))
    stored.set(metadata.key!, [...(stored.get(metadata.key!) ?? []), id])
  for (const { key, id } of answered) assert.deepEqual(stored.get(key), [id], key)
  // One more per client and round may have been done whose answer nobody heard.
  assert.ok(stored.size <= answered.length + ROUNDS * CLIENTS, `${stored.size} stored, ${answered.length} answered`)
  for (const { key, id } of answered.slice(-30)) {
    const again = await stripe.customers.create({ metadata: { key } }, { idempotencyKey: key })
    assert.equal(again.id, id)
    assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true')
  }
  const metered = answered.filter((entry) => entry.metered)
  assert.ok(metered.length > 0)
  for (const entry of metered.slice(-30)) {
    await assert.rejects(meter(stripe, entry), /already exists with identifier/)
    // What had not been counted when the process died is counted a moment after the start.
    while ((await usageOf(stripe, entry.id)) === 0) await wait(20)
    assert.equal(await usageOf(stripe, entry.id), 1)
  }
  await end(child, 'SIGTERM')
})

async function meteredPrice(stripe: Stripe): Promise<string> {
  const meter = await stripe.billing.meters.create({
    display_name: 'Tokens',
    event_name: 'tokens',
    default_aggregation: { formula: 'sum' },
  })
  const { id } = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 5,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    product_data: { name: 'Essential' },
  })
  return id
}

function meter(stripe: Stripe, { key, id }: Answered): Promise<unknown> {
  const payload = { stripe_customer_id: id, value: '1' }
  return stripe.billing.meterEvents.create({ event_name: 'tokens', identifier: key, payload })
}

async function usageOf(stripe: Stripe, customer: string): Promise<number> {
  const [{ id }] = (await stripe.billing.meters.list()).data as [Stripe.Billing.Meter]
  const minute = Math.floor(Date.now() / 60_000) * 60
  const span = { customer, start_time: minute - 3600, end_time: minute + 60 }
  return (await stripe.billing.meters.listEventSummaries(id, span)).data[0]?.aggregated_value ?? 0
}

test('the write-ahead log does not grow with the number of requests', async (t) => {
  const file = stateFile(t)
  const { child, stripe } = await start(t, file)
  for (let count = 0; count < 300; count += 1)
    await stripe.customers.create({
      metadata: Object.fromEntries([...'abcdefgh'].map((key) => [key, key.repeat(500)])),
    })
  const { size } = statSync(`${file}-wal`)
  // 1,000 pages and what the last transactions added; without checkpoints 300 such customers take about 20 MB.
  assert.ok(size < 12 * 1024 * 1024, `${size} bytes`)
  await end(child, 'SIGTERM')
})
