import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server as HttpServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Stripe } from 'stripe'
import { type StripeLocal, startStripeLocal } from 'stripe-local'
import { pay } from '../world.ts'
import { type App, startApp } from './app.ts'
import type { AppSettings } from './app-process.ts'
import type { Server } from './server.ts'

export type PlanName = 'essential' | 'business' | 'enterprise'

/** Whoever pays, as the harness knows it: ids here and at Stripe. */
export interface Payer {
  name: string
  customerId: string
  subscriptionId: string
  stripeCustomer: string
  stripeSubscription: string
  startedAt: number
}

/** All that a run is played with: a database of its own, a local Stripe, a clock, and apps that can be killed. */
export interface Stage {
  server: Server
  databaseUrl: string
  /** The harness's own connections; they break when PostgreSQL is stopped, and come back. */
  pool: pg.Pool
  stripeLocal: StripeLocal
  stripe: Stripe
  /** In the order of their names; a killed one stays in its place until it is started again. */
  apps: App[]
  now: () => number
  /** Whether deliveries of webhooks reach an app. */
  webhooks: { reach: boolean; lost: (type: string) => boolean }
  /** Refs of all events whose `durable` has resolved in any process, at once when it is told. */
  durable: Set<string>
  /** What must never happen and was seen while it ran. */
  findings: string[]
  /** Moves everybody's clock. */
  pass: (milliseconds: number) => Promise<void>
  /** Starts one that was killed again, on the same journal. PostgreSQL must run. */
  revive: (app: App) => Promise<App>
  subscribe: (name: string, plan: PlanName) => Promise<Payer>
  close: () => Promise<void>
}

const START = new Date('2026-11-24T12:00:00Z').getTime()
const STRIPE_TIMEOUT_MS = 700
/** Far less than the hour by which the engine keeps clear of the end of Stripe's memory for identifiers. */
const LEAP_MS_MAX = 30 * 60 * 1000
/** What an app does about a webhook takes so long at most, in real milliseconds. */
const HANDLED_MS_MAX = 2_000
const DELIVERY_TIMEOUT_MS = 20_000

let opened = 0

export async function openStage(server: Server, { apps: count }: { apps: number }): Promise<Stage> {
  await server.start()
  opened += 1
  const database = `stage_${opened}`
  await server.createDatabase(database)
  const databaseUrl = server.url(database)
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 6 })
  pool.on('error', () => {})
  const machineStart = Date.now()
  const stripeLocal = await startStripeLocal({
    now: () => new Date(START + Date.now() - machineStart),
    aggregationDelayMs: 0,
  })
  const stripe = new Stripe(stripeLocal.secretKey, { ...stripeLocal.clientConfig, telemetry: false })
  const journals = mkdtempSync(join(tmpdir(), 'faults-journals-'))
  const durable = new Set<string>()
  const findings: string[] = []
  const listener = {
    durable: (refs: string[]) => {
      for (const ref of refs) durable.add(ref)
    },
    crashed: (app: string, why: string) => void findings.push(`${app} ended by itself: ${why}`),
  }
  const now = () => stripeLocal.now().getTime()
  const clockOffsetMs = () => now() - Date.now()
  const secrets: string[] = []
  const settings = (index: number): AppSettings => ({
    databaseUrl,
    journalDirectory: join(journals, String(index)),
    stripe: { secretKey: stripeLocal.secretKey, host: stripeLocal.host, port: stripeLocal.port },
    webhookSecrets: secrets,
    clockOffsetMs: clockOffsetMs(),
    stripeTimeoutMs: STRIPE_TIMEOUT_MS,
  })
  const stage: Stage = {
    server,
    databaseUrl,
    pool,
    stripeLocal,
    stripe,
    apps: [],
    now,
    webhooks: { reach: true, lost: () => false },
    durable,
    findings,
    pass,
    revive,
    subscribe,
    close,
  }
  const router = await openRouter(stage, clockOffsetMs)
  try {
    stage.apps.push(await startApp('app 0', settings(0), listener))
    await refusePoison(pool)
    const { webhookSecrets } = await stage.apps[0]!.ask('provision', `${router.url}/webhooks/stripe`)
    secrets.push(...webhookSecrets)
    await stage.apps[0]!.ask('secrets', webhookSecrets)
    const others = Array.from({ length: count - 1 }, (_, index) => index + 1)
    const started = others.map((index) => startApp(`app ${index}`, settings(index), listener))
    stage.apps.push(...(await Promise.all(started)))
  } catch (error) {
    await close()
    throw error
  }
  return stage

  /** In leaps, between which apps that were told something come to an end with it: no request is a day on its way. */
  async function pass(milliseconds: number): Promise<void> {
    const end = now() + milliseconds
    for (let left = milliseconds; left > 0; left = end - now()) {
      const told = router.delivered()
      await stripeLocal.advance(new Date(now() + Math.min(left, LEAP_MS_MAX)))
      for (const app of stage.apps) app.setClock(clockOffsetMs())
      if (left > LEAP_MS_MAX && router.delivered() !== told) await handled()
    }
  }

  async function handled(): Promise<void> {
    const since = Date.now()
    while (Date.now() - since < HANDLED_MS_MAX) {
      const waiting = await pool.query("select 1 from billing.webhooks where status = 'received'").catch(() => null)
      if (!waiting || waiting.rowCount === 0) return
      await sleep(5)
    }
  }

  async function revive(app: App): Promise<App> {
    const index = stage.apps.indexOf(app)
    if (app.alive() || index === -1) return app
    const revived = await startApp(app.name, settings(index), listener)
    stage.apps[index] = revived
    return revived
  }

  async function subscribe(name: string, plan: PlanName): Promise<Payer> {
    const [app] = stage.apps
    const customer = await app!.ask('ensureCustomer', name)
    const session = await app!.ask('checkout', customer.id, plan)
    await pay(stripeLocal, session.url)
    const subscription = await app!.ask('completeCheckout', customer.id, session.sessionId)
    await stripeLocal.idle()
    for (const each of stage.apps) await each.ask('gate', customer.id)
    const { customer: stripeCustomer, start_date } = await stripe.subscriptions.retrieve(subscription!.stripeId)
    return {
      name,
      customerId: customer.id,
      subscriptionId: subscription!.id,
      stripeCustomer: String(stripeCustomer),
      stripeSubscription: subscription!.stripeId,
      startedAt: start_date * 1000,
    }
  }

  async function close(): Promise<void> {
    for (const app of stage.apps) await app.kill()
    await stripeLocal.close()
    router.close()
    await pool.end()
    rmSync(journals, { recursive: true, force: true })
  }
}

/** As a bad row would be: no check of the engine's knows of it, and PostgreSQL refuses the whole batch it is in. */
async function refusePoison(pool: pg.Pool): Promise<void> {
  await pool.query(
    `alter table billing.meter_events add constraint unpoisoned check (properties is null or not properties ? 'poisoned')`,
  )
}

/** Between Stripe and the apps: hands each delivery to one of those that live, as a load balancer does. */
async function openRouter(
  stage: Stage,
  clockOffsetMs: () => number,
): Promise<{ url: string; delivered: () => number; close: () => void }> {
  let turn = 0
  const server: HttpServer = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    if (!stage.webhooks.reach) return response.writeHead(503).end()
    const { type } = JSON.parse(body.toString('utf8')) as { type: string }
    if (stage.webhooks.lost(type)) return response.writeHead(200).end()
    for (const app of stage.apps) app.setClock(clockOffsetMs())
    const alive = stage.apps.filter((app) => app.alive())
    turn += 1
    const app = alive[turn % Math.max(alive.length, 1)]
    if (!app) return response.writeHead(503).end()
    const status = await deliver(app, request, body, clockOffsetMs()).catch(() => 502)
    return response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    delivered: () => turn,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function deliver(app: App, { url, headers }: IncomingMessage, body: Buffer, offsetMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const forwarded = httpRequest(
      {
        host: '127.0.0.1',
        port: app.port,
        path: url,
        method: 'POST',
        timeout: DELIVERY_TIMEOUT_MS,
        headers: {
          'stripe-signature': headers['stripe-signature'],
          'content-length': body.length,
          'x-clock-offset': String(offsetMs),
        },
      },
      (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode ?? 502))
        answer.on('error', reject)
      },
    )
    forwarded.on('timeout', () => forwarded.destroy(new Error('no answer in time')))
    forwarded.on('error', reject)
    forwarded.end(body)
  })
}

/** Resolves once something outside has come to pass; false where it has not after a while. */
export async function comesTrue(condition: () => boolean | Promise<boolean>, patienceMs = 2_000): Promise<boolean> {
  for (const until = performance.now() + patienceMs; performance.now() < until; ) {
    if (await condition()) return true
    await sleep(5)
  }
  return false
}
