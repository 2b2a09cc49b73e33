import type { Pool, PoolClient } from 'pg'
import type { Stripe } from 'stripe'
import type { Customer, CustomerInput, Source } from './customers/customer.ts'
import type {
  EventDetail,
  EventFilter,
  EventInput,
  EventRow,
  EventStatus,
  Page,
  RecordedEvent,
} from './events/event.ts'
import type { EventImportInput, ImportResult } from './events/import.ts'
import type { EventImport } from './events/import-store.ts'
import type { JournalStatus } from './events/journal-status.ts'
import type { InvoiceRow, StripePreview, SwitchPreview, UpcomingCharges } from './invoices/charges.ts'
import type { Logger } from './logger.ts'
import type { BillingConfig, Meter, Plan } from './plans/config.ts'
import type { ProvisionResult } from './plans/provision-result.ts'
import type { ReconcileScope } from './reports/reconcile.ts'
import type { MendResult, Reconciliation } from './reports/reconciliation.ts'
import type { Backlog, ReportRow, ReportStatus, ReportTotals, SyncPlan, SyncResult } from './reports/report.ts'
import type { Subscription } from './subscriptions/subscription.ts'
import type { Usage } from './usage/usage.ts'
import type { SubscriptionCheck } from './usage/verify.ts'
import type { WebhookDetail, WebhookRow, WebhookStatus } from './webhooks/webhook.ts'

export interface MeterkitOptions<M extends string, P extends string> {
  config: BillingConfig<M, P>
  pool: Pool
  stripe: Stripe
  /** Default `() => new Date()`. */
  clock?: () => Date
  log?: Logger
  /** Where the journal lies; `false`: no durable disk, `durable` then means committed in PostgreSQL. */
  journal: { directory: string; maxBytes?: number } | false
  /** Secrets of the webhook endpoint and the event destination; several while one is rotated. */
  webhookSecrets?: string[] | (() => string[])
  /** True with a live key only. */
  productionMode?: boolean
  /** False: nothing is collected, and `recordEvent` says so rather than lose events. Default true. */
  collect?: boolean
  /**
   * For tools beside a running app: `start` migrates nothing and opens no journal, and `recordEvent` refuses. The meters are
   * those the app has stored. Default false.
   */
  tool?: boolean
  /** Calls of Stripe a second while reporting. Default 80 live, 20 with a test key. */
  reportsPerSecond?: number
}

export interface Meterkit<M extends string = string, P extends string = string> {
  /** Migrates the schema `billing`, opens the journal, replays what it holds. @throws MeterkitError */
  start: () => Promise<void>
  /** Drains the journal into the database as far as it can be reached, then lets go of everything. Idempotent. */
  stop: () => Promise<void>

  /** Validates and returns at once. @throws MeterkitError for wrong input only; nothing is stored then. */
  recordEvent: {
    (input: EventInput<M>): RecordedEvent
    /** Writes in the caller's own transaction instead: the event exists exactly if it commits. */
    (input: EventInput<M>, options: { tx: PoolClient }): Promise<{ id: string }>
  }
  /** @throws MeterkitError `unknown_meter` */
  getMeterByEventName: (eventName: M) => Meter
  meters: () => Meter[]
  plans: () => Plan[]

  events: {
    list: (filter?: EventFilter) => Promise<Page<EventRow>>
    counts: () => Promise<Record<EventStatus | 'late' | 'all', number>>
    get: (id: string) => Promise<EventDetail | null>
    /** Clears the errors of these events' reports, so that the next sync sends their usage again. @returns reports cleared */
    retry: (which: { eventIds: string[] } | { error: string } | 'all') => Promise<number>
    /**
     * Takes events back. The usage they carried leaves the open period, or is a difference on the next invoice.
     * @returns how many are void now and were not before
     * @throws MeterkitError `unknown_event` before anything is changed, `reason_required`
     */
    void: (ids: string | string[], trace: { by: string; reason: string }) => Promise<number>
    /**
     * Stores a file of events as one batch: all of it, or, with any error, nothing. The same content is imported once.
     * @throws MeterkitError `import_too_large`; what is wrong with its lines is in the result
     */
    import: (input: EventImportInput) => Promise<ImportResult>
    /** Newest first. */
    imports: (limit?: number) => Promise<EventImport[]>
    /**
     * Takes back what an import stored. Where that was cut short, doing it again goes on.
     * @returns how many events are void now and were not before
     * @throws MeterkitError `unknown_import`, `reason_required`
     */
    revertImport: (batchId: string, trace: { by: string; reason: string }) => Promise<number>
    /** Resolves when everything recorded so far by this process is in the database. */
    drained: () => Promise<void>
    /** Events that could not be stored and were put aside, newest first. */
    setAside: (limit?: number) => Promise<{ id: string; event: unknown; error: string; at: Date }[]>
    /** Of this process: recorded, durable, in the database, duplicates, bytes waiting in the journal. */
    pipeline: () => {
      recorded: number
      durable: number
      stored: number
      duplicates: number
      setAside: number
      journalBytes: number
    }
  }

  customers: {
    /** Finds or creates; changes of name and email are taken over. */
    ensure: (input: CustomerInput) => Promise<Customer>
    find: (source: Source, sourceId: string) => Promise<Customer | null>
    get: (id: string) => Promise<Customer | null>
    list: (filter?: {
      search?: string
      cursor?: string
      limit?: number
    }) => Promise<Page<Customer & { subscription: Subscription | null }>>
  }

  subscriptions: {
    get: (id: string) => Promise<Subscription | null>
    /** The live one, else the latest that ended, else null. */
    ofCustomer: (customerId: string) => Promise<Subscription | null>
    list: (customerId: string) => Promise<Subscription[]>
    /** A hosted Checkout page. @throws MeterkitError `meter_in_use` while a live subscription has the same meter. */
    checkout: (input: {
      customerId: string
      plan: P
      successUrl: string
      cancelUrl: string
    }) => Promise<{ url: string; sessionId: string }>
    /** The return from Checkout: whichever of this and the webhook is first takes effect. Null while unpaid or another customer's. */
    completeCheckout: (input: { customerId: string; sessionId: string }) => Promise<Subscription | null>
    previewSwitch: (input: { subscriptionId: string; plan: P }) => Promise<SwitchPreview>
    /** Flushes the usage so far, waits until Stripe has accepted it, then changes the price. @throws MeterkitError `usage_unreported` */
    switchPlan: (input: { subscriptionId: string; plan: P }) => Promise<Subscription>
    /** `now` bills the last usage at once. @throws MeterkitError `usage_unreported` */
    cancel: (input: { subscriptionId: string; when: 'period_end' | 'now' }) => Promise<Subscription>
    /** Takes back a cancellation at the period's end. */
    resume: (subscriptionId: string) => Promise<Subscription>
    /** Stripe's own pages for card, invoices and cancelling. */
    portal: (input: {
      customerId: string
      returnUrl: string
      flow?: 'payment_method_update'
    }) => Promise<{ url: string }>
    /** Fetches it from Stripe and stores it. */
    refresh: (stripeSubscriptionId: string) => Promise<Subscription>
  }

  usage: {
    /** Null without a current period. A few index reads, whatever the number of events. */
    current: (subscriptionId: string) => Promise<Usage | null>
  }

  invoices: {
    upcoming: (subscriptionId: string) => Promise<UpcomingCharges | null>
    /** @throws Stripe's own error when it cannot be reached; null when nothing is left to bill. */
    stripePreview: (subscriptionId: string) => Promise<StripePreview | null>
    list: (customerId: string) => Promise<InvoiceRow[]>
  }

  reports: {
    /**
     * Writes down what is unreported and sends it. Any number of workers may call it at once.
     * `urgent` also tries reports again that wait for their back-off: an operator has mended the cause.
     */
    sync: {
      (scope?: { customerId?: string; urgent?: boolean; dryRun?: false }): Promise<SyncResult>
      /** What would be written and sent, without writing or asking Stripe. */
      (scope: { customerId?: string; urgent?: boolean; dryRun: true }): Promise<SyncPlan>
    }
    /**
     * Compares what Stripe has accepted with its summaries, per customer, meter and UTC day. Nothing is changed; what is
     * younger than 10 minutes is not judged. @throws Stripe's own error where it cannot be reached
     */
    reconcile: (scope?: ReconcileScope) => Promise<Reconciliation>
    /**
     * Takes back the reports of a reconciliation that Stripe does not have, each looked up once more before, so that the
     * next sync sends their usage again. Of what Stripe has too much, and of what is unclear, nothing is changed.
     */
    mend: (reconciliation: Pick<Reconciliation, 'differences'>) => Promise<MendResult>
    /** What is not with Stripe; its cost grows with that alone, not with what has been reported. */
    backlog: () => Promise<Backlog>
    /** Of this process. */
    totals: () => ReportTotals
    list: (filter?: {
      status?: ReportStatus
      search?: string
      cursor?: string
      limit?: number
    }) => Promise<Page<ReportRow>>
    counts: () => Promise<Record<ReportStatus, number> & { oldestUnreportedAt: Date | null }>
  }

  journal: {
    /** Looks at a journal without opening it; default this engine's own. Null without one. */
    status: (directory?: string) => Promise<JournalStatus | null>
  }

  /**
   * Recomputes rollups from events, and compares what they note as reported with the reports, one subscription after the
   * other. Memory does not grow with what there is.
   */
  verify: (scope?: { customerId?: string; subscriptionId?: string }) => AsyncIterable<SubscriptionCheck>

  webhooks: {
    /** Handles one stored delivery; what the job does with each. */
    process: (id: string) => Promise<void>
    /** Stored but not processed yet, oldest first. */
    unprocessed: () => Promise<string[]>
    list: (filter?: {
      status?: WebhookStatus
      search?: string
      cursor?: string
      limit?: number
    }) => Promise<Page<WebhookRow>>
    counts: () => Promise<Record<WebhookStatus, number>>
    get: (id: string) => Promise<WebhookDetail | null>
    /** Processes it once more. */
    replay: (id: string) => Promise<void>
  }

  /** Creates or updates at Stripe what the config describes. */
  provision: (options?: { dryRun?: boolean; webhookUrl?: string }) => Promise<ProvisionResult>
  /** Creates the months of events ahead; once a day is plenty. */
  housekeeping: () => Promise<void>
  /** `POST …/webhooks/stripe`: verified on the raw body, stored, answered. Call `onWebhook` to process by a job. */
  handler: (request: Request) => Promise<Response>
  /** Called with the id of each newly stored webhook; without one it is processed right after the answer. */
  onWebhook: (enqueue: (id: string) => Promise<void>) => void
}
