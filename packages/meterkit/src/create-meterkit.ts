import type { Customer } from './customers/customer.ts'
import { ensureCustomer, getCustomer, customerId as idOfCustomer, listCustomers } from './customers/store.ts'
import { firstRow } from './database/database.ts'
import { createMonths, migrate, missingMigrations } from './database/migrate.ts'
import { createTurns, createTurnsByKey } from './database/turns.ts'
import { type Directory, openDirectory } from './directory.ts'
import { MeterkitError } from './errors.ts'
import type { EventInput } from './events/event.ts'
import { newEventId } from './events/id.ts'
import { importEvents } from './events/import.ts'
import { listImports, revertImport } from './events/import-store.ts'
import { openJournal } from './events/journal.ts'
import { journalStatus } from './events/journal-status.ts'
import { countEvents, getEvent, listEvents, paged, parseCursor } from './events/list.ts'
import { createRecorder, type Recorder } from './events/recorder.ts'
import { insertEvents, listSetAside } from './events/store.ts'
import { type MeterIndex, validEvent } from './events/validate.ts'
import { voidEvents } from './events/void.ts'
import { refreshEndedPeriods } from './invoices/flush.ts'
import { periodSheet } from './invoices/period-sheet.ts'
import { stripePreview } from './invoices/preview.ts'
import { listInvoices } from './invoices/store.ts'
import { upcomingCharges } from './invoices/upcoming.ts'
import type { Logger } from './logger.ts'
import type { Meterkit, MeterkitOptions } from './meterkit.ts'
import { readMeters, storeMeters } from './meters/store.ts'
import { catalogOf, type Meter } from './plans/config.ts'
import { provision } from './plans/provision.ts'
import { withReportLock } from './reports/lock.ts'
import { mend } from './reports/mend.ts'
import { countReports, readBacklog, unreported } from './reports/outstanding.ts'
import { planSync } from './reports/plan.ts'
import { reconcile } from './reports/reconcile.ts'
import type { ReportTotals, SyncResult } from './reports/report.ts'
import { clearFailed, listReports } from './reports/store.ts'
import { createPace, type SyncContext as ReportContext, syncUsage } from './reports/sync.ts'
import {
  type ChangeContext,
  cancelSubscription,
  previewSwitch,
  resumeSubscription,
  switchPlan,
} from './subscriptions/change.ts'
import { checkout, completeCheckout, portal } from './subscriptions/checkout.ts'
import { getSubscription, subscriptionsOf } from './subscriptions/store.ts'
import { syncSubscription } from './subscriptions/sync.ts'
import { traceStripe } from './tracing.ts'
import { currentUsage } from './usage/current.ts'
import { verifyUsage } from './usage/verify.ts'
import { handleRequest } from './webhooks/handler.ts'
import { processWebhook, replayWebhook, retryWebhooks } from './webhooks/process.ts'
import { countWebhooks, listWebhooks, unprocessedWebhooks, webhookDetail } from './webhooks/store.ts'

const JOURNAL_BYTES_MAX = 1024 * 1024 * 1024
const DRAIN_MS_AT_STOP = 5_000
const REPORTS_PER_SECOND = { live: 80, test: 20 }

interface SyncScope {
  customerId?: string | null
  urgent?: boolean
  dryRun?: boolean
}

const silent: Logger = { info: () => {}, warn: () => {}, error: () => {} }

/**
 * The engine: give it a pool, a Stripe client and the plans. It reads no environment and starts nothing by itself;
 * jobs, a server and pages are the caller's.
 * @throws MeterkitError `invalid_config`, `invalid_price`
 */
export function createMeterkit<M extends string, P extends string>(options: MeterkitOptions<M, P>): Meterkit<M, P> {
  const { pool, stripe, clock = () => new Date(), log = silent, productionMode = false, tool = false } = options
  const collect = !tool && (options.collect ?? true)
  const catalog = catalogOf(options.config)
  const meters = { byName: catalog.meters, byId: new Map<number, Meter>() } satisfies MeterIndex
  const pace = createPace(
    options.reportsPerSecond ?? (productionMode ? REPORTS_PER_SECOND.live : REPORTS_PER_SECOND.test),
  )
  const totals: ReportTotals = { created: 0, accepted: 0, failed: 0, postponed: 0 }
  traceStripe(stripe)
  let running: { directory: Directory; recorder: Recorder } | null = null
  let enqueueWebhook: ((id: string) => Promise<void>) | null = null
  const stripeMeterIds = new Map<string, string>()
  const inTurn = createTurnsByKey()
  // each holds a connection while it works with others
  const turns = createTurns(Math.max(1, Math.floor((pool.options.max ?? 10) / 3)))

  function started(): { directory: Directory; recorder: Recorder } {
    if (running) return running
    throw new MeterkitError(
      'not_started',
      'Meterkit is not started (or stopped again). Call start() and await it first.',
    )
  }

  const reportContext: ReportContext = {
    pool,
    stripe,
    clock,
    log,
    pace,
    random: Math.random,
    meterStripeId,
    turns,
    refreshPeriods: (customerId) => refreshEndedPeriods(changeContext(), customerId),
  }

  function changeContext(): ChangeContext {
    const { directory, recorder } = started()
    return {
      pool,
      stripe,
      clock,
      log,
      catalog,
      directory,
      inTurn,
      drained: recorder.drained,
      flush: (customerId) => sync({ customerId, urgent: true }),
      withoutReports: (customerId, work) => turns(() => withReportLock(pool, customerId, work)),
    }
  }

  async function sync(scope: { customerId: string | null; urgent: boolean }): Promise<SyncResult> {
    const result = await syncUsage(reportContext, scope)
    for (const outcome of ['created', 'accepted', 'failed', 'postponed'] as const) totals[outcome] += result[outcome]
    return result
  }

  async function meterStripeId(eventName: string): Promise<string> {
    if (!stripeMeterIds.has(eventName)) {
      for await (const meter of stripe.billing.meters.list({ limit: 100 }))
        stripeMeterIds.set(meter.event_name, meter.id)
    }
    const id = stripeMeterIds.get(eventName)
    if (id) return id
    const sentence = `meter ${JSON.stringify(eventName)} is not at Stripe. Create it there: meterkit provision.`
    throw new MeterkitError('unknown_meter', sentence, { field: 'meter', value: eventName })
  }

  async function start(): Promise<void> {
    if (running) return
    await reachable()
    if (tool) await refuseOutdated()
    else await migrate(pool)
    await refuseOtherMode()
    for (const meter of tool ? await readMeters(pool) : await storeMeters(pool, catalog.meters.values())) {
      catalog.meters.set(meter.eventName, meter)
      meters.byId.set(meter.id, meter)
    }
    if (!tool) await housekeeping()
    const directory = await openDirectory(pool, log)
    const journal =
      options.journal === false || tool
        ? null
        : await openJournal({ directory: options.journal.directory, log }).catch(async (error) => {
            await directory.close()
            throw error
          })
    const journalBytesMax = (options.journal || undefined)?.maxBytes ?? JOURNAL_BYTES_MAX
    running = { directory, recorder: createRecorder({ pool, journal, journalBytesMax, log }) }
  }

  async function reachable(): Promise<void> {
    try {
      await pool.query('select 1')
    } catch (cause) {
      const sentence = `PostgreSQL cannot be reached: ${(cause as Error).message || (cause as { code?: string }).code}. Check the address, and that the server runs.`
      throw new MeterkitError('database_unreachable', sentence, { field: 'pool', cause })
    }
  }

  /** A tool changes no schema: the app does, when it is started. */
  async function refuseOutdated(): Promise<void> {
    const missing = await missingMigrations(pool)
    if (missing.length === 0) return
    const sentence = `the database has no ${missing.join(', ')} yet. Start the app with this version of Meterkit once, or use the tools of the version that runs.`
    throw new MeterkitError('schema_outdated', sentence, { field: 'pool' })
  }

  /** Ids of test and live mode never mix: a database belongs to the mode it was first used in. */
  async function refuseOtherMode(): Promise<void> {
    const mode = productionMode ? 'live' : 'test'
    const row = await firstRow<{ value: string }>(
      pool,
      /* sql */ `
      insert into billing.settings (name, value) values ('stripe_mode', to_jsonb($1::text))
      on conflict (name) do update set name = excluded.name
      returning value #>> '{}' as value`,
      [mode],
    )
    if (row!.value === mode) return
    const sentence = `this database holds ids of Stripe's ${row!.value} mode, and Meterkit was started for ${mode} mode. Use a database of its own for each.`
    throw new MeterkitError('mode_mismatch', sentence, { field: 'productionMode', value: productionMode })
  }

  function housekeeping(): Promise<void> {
    return createMonths(
      pool,
      new Date(Math.min(clock().getTime(), Date.now())),
      new Date(Math.max(clock().getTime(), Date.now())),
    )
  }

  function recordEvent(input: EventInput, { tx }: Parameters<Meterkit['recordEvent']>[1] | { tx?: undefined } = {}) {
    if (!collect) {
      throw new MeterkitError(
        'collecting_off',
        'recordEvent: collecting is switched off (collect: false), so this event was not recorded. Switch it on, or do not call.',
      )
    }
    const { directory, recorder } = started()
    const now = clock().getTime()
    const event = validEvent({ meters, directory, now, newId: newEventId }, input)
    if (tx) return insertEvents(tx, [event]).then(() => ({ id: event.id }))
    return { id: event.id, durable: recorder.record(event) }
  }

  async function stop(): Promise<void> {
    const last = running
    running = null
    if (!last) return
    try {
      await last.recorder.stop(DRAIN_MS_AT_STOP)
    } finally {
      await last.directory.close()
    }
  }

  /** Invoices and Stripe's pages carry the name; where Stripe is away it is told with the next change. */
  async function renameAtStripe({ stripeId, name, email }: Customer): Promise<void> {
    if (!stripeId) return
    await stripe.customers.update(stripeId, { name, ...(email ? { email } : {}) }).catch((error: Error) => {
      log.warn({ customer: stripeId, error: error.message }, 'a new name did not reach Stripe')
    })
  }

  async function upcoming(subscriptionId: string) {
    const subscription = await getSubscription(pool, subscriptionId)
    const now = clock()
    const sheet = subscription && (await periodSheet(pool, subscription, now))
    return sheet && upcomingCharges(sheet, catalog, now)
  }

  const process = async (id: string) => processWebhook(changeContext(), id)

  return {
    start,
    stop,
    recordEvent: recordEvent as Meterkit<M, P>['recordEvent'],
    getMeterByEventName: (eventName) => {
      const meter = catalog.meters.get(eventName)
      if (meter) return meter
      const known = [...catalog.meters.keys()].join(', ')
      throw new MeterkitError(
        'unknown_meter',
        `getMeterByEventName: ${JSON.stringify(eventName)} is not a meter of the config. Its meters: ${known}.`,
        { field: 'eventName', value: eventName },
      )
    },
    meters: () => [...catalog.meters.values()],
    plans: () => [...catalog.plans.values()],

    events: {
      list: (filter = {}) => listEvents(pool, filter),
      counts: () => countEvents(pool),
      get: (id) => getEvent(pool, id),
      retry: (which) => clearFailed(pool, which),
      void: (ids, trace) => voidEvents(pool, [ids].flat(), trace, clock()),
      import: (input) => importEvents({ pool, clock, meters, directory: started().directory }, input),
      imports: (limit = 100) => listImports(pool, limit),
      revertImport: (batchId, trace) => revertImport(pool, batchId, trace, clock()),
      drained: () => started().recorder.drained(),
      setAside: (limit = 100) => listSetAside(pool, limit),
      pipeline: () => started().recorder.pipeline(),
    },

    customers: {
      ensure: async (input) => {
        const before = await getCustomer(pool, idOfCustomer(input.source, input.sourceId))
        const customer = await ensureCustomer(pool, input)
        started().directory.add(customer.id)
        if (before && (before.name !== customer.name || before.email !== customer.email)) await renameAtStripe(customer)
        return customer
      },
      find: (source, sourceId) => getCustomer(pool, idOfCustomer(source, sourceId)),
      get: (id) => getCustomer(pool, id),
      list: async ({ search = null, cursor, limit = 50 } = {}) => {
        const { before } = parseCursor(cursor)
        const found = await listCustomers(pool, { search, cursor: before, limit: limit + 1 })
        const subscriptions = await subscriptionsOf(
          pool,
          found.map((customer) => customer.id),
        )
        const withSubscription = found.map((customer) => ({
          ...customer,
          subscription: subscriptions.find((subscription) => subscription.customerId === customer.id) ?? null,
        }))
        const page = paged(withSubscription, { limit, before: null, after: null, id: (row) => row.id })
        return page
      },
    },

    subscriptions: {
      get: (id) => getSubscription(pool, id),
      ofCustomer: async (customerId) => {
        const [subscription] = await subscriptionsOf(pool, [customerId])
        // another process may have stored it a moment ago
        if (subscription) started().directory.add(customerId, subscription.id)
        return subscription ?? null
      },
      list: (customerId) => subscriptionsOf(pool, [customerId]),
      checkout: (input) => checkout(changeContext(), input),
      completeCheckout: (input) => completeCheckout(changeContext(), input),
      previewSwitch: (input) => previewSwitch(changeContext(), input),
      switchPlan: (input) => switchPlan(changeContext(), input),
      cancel: (input) => cancelSubscription(changeContext(), input),
      resume: (subscriptionId) => resumeSubscription(changeContext(), subscriptionId),
      portal: (input) => portal(changeContext(), input),
      refresh: async (stripeId) => {
        const subscription = await syncSubscription(changeContext(), stripeId)
        if (subscription) return subscription
        throw new MeterkitError(
          'unknown_subscription',
          `subscription ${stripeId} belongs to a Stripe customer that is none of ours.`,
          { field: 'stripeSubscriptionId', value: stripeId },
        )
      },
    },

    usage: {
      current: async (subscriptionId) => {
        const subscription = await getSubscription(pool, subscriptionId)
        return subscription && currentUsage(pool, subscription, catalog, clock())
      },
    },

    invoices: {
      upcoming,
      stripePreview: async (subscriptionId) => {
        const subscription = await getSubscription(pool, subscriptionId)
        if (!subscription) return null
        const waiting = await unreported(pool, subscription.customerId, subscription.id)
        return stripePreview({ stripe, clock }, subscription, await upcoming(subscriptionId), waiting)
      },
      list: (customerId) => listInvoices(pool, customerId),
    },

    reports: {
      sync: (async ({ customerId = null, urgent = false, dryRun = false }: SyncScope = {}) => {
        if (dryRun) return planSync({ pool, clock }, { customerId, urgent })
        await started().recorder.drained()
        const result = await sync({ customerId, urgent })
        if (!customerId) await retryWebhooks(changeContext())
        return result
      }) as Meterkit<M, P>['reports']['sync'],
      reconcile: (scope) => reconcile(reportContext, scope),
      mend: (reconciliation) => mend(reportContext, reconciliation),
      backlog: () => readBacklog(pool),
      totals: () => ({ ...totals }),
      list: async ({ status = null, search = null, cursor, limit = 50 } = {}) => {
        const { before, after } = parseCursor(cursor)
        const found = await listReports(pool, { status, search, before, after, limit: limit + 1 })
        return paged(found, { limit, before, after, id: (row) => row.id })
      },
      counts: () => countReports(pool),
    },

    journal: {
      status: (directory) => {
        const own = options.journal ? options.journal.directory : null
        const looked = directory ?? own
        return looked === null ? Promise.resolve(null) : journalStatus(looked)
      },
    },

    verify: (scope = {}) => verifyUsage(pool, scope),

    webhooks: {
      process,
      unprocessed: () => unprocessedWebhooks(pool),
      list: async ({ status = null, search = null, cursor = null, limit = 50 } = {}) => {
        const found = await listWebhooks(pool, { status, search, cursor: cursor?.slice(1) ?? null, limit: limit + 1 })
        return paged(found, { limit, before: null, after: null, id: (row) => row.id })
      },
      counts: () => countWebhooks(pool),
      get: (id) => webhookDetail(pool, id),
      replay: (id) => replayWebhook(changeContext(), id),
    },

    provision: (provisionOptions) => provision({ pool, stripe, catalog }, provisionOptions),
    housekeeping,
    handler: (request) =>
      handleRequest(
        {
          db: pool,
          stripe,
          clock,
          log,
          secrets: () =>
            typeof options.webhookSecrets === 'function' ? options.webhookSecrets() : (options.webhookSecrets ?? []),
          process,
          enqueue: enqueueWebhook ?? processSoon,
        },
        request,
      ),
    onWebhook: (enqueue) => {
      enqueueWebhook = enqueue
    },
  }

  async function processSoon(id: string): Promise<void> {
    setImmediate(() => {
      process(id).catch((error: Error) =>
        log.error({ webhook: id, error: error.message }, 'a webhook could not be processed'),
      )
    })
  }
}
