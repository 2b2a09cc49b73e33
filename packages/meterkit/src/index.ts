export { createMeterkit } from './create-meterkit.ts'
export type { Customer, CustomerInput, Source } from './customers/customer.ts'
export { ERROR_CODES, type ErrorCode, MeterkitError } from './errors.ts'
export type {
  EventDetail,
  EventFilter,
  EventInput,
  EventRow,
  EventStatus,
  EventStep,
  Page,
  Properties,
  RecordedEvent,
} from './events/event.ts'
export type { EventImportInput, ImportError, ImportResult } from './events/import.ts'
export type { ImportCost } from './events/import-cost.ts'
export type { ImportFormat } from './events/import-lines.ts'
export type { EventImport } from './events/import-store.ts'
export type { JournalFile, JournalStatus } from './events/journal-status.ts'
export type { ChargeLine, InvoiceRow, StripePreview, SwitchPreview, UpcomingCharges } from './invoices/charges.ts'
export type { Logger } from './logger.ts'
export type { Meterkit, MeterkitOptions } from './meterkit.ts'
export {
  type BillingConfig,
  type Catalog,
  catalogOf,
  defineBilling,
  type Meter,
  type Plan,
  type PlanPrice,
} from './plans/config.ts'
export type { ProvisionResult, ProvisionStep } from './plans/provision-result.ts'
export type { ReconcileScope } from './reports/reconcile.ts'
export type {
  Difference,
  DifferenceCause,
  DifferingReport,
  MendResult,
  Reconciliation,
} from './reports/reconciliation.ts'
export type {
  Backlog,
  PlannedReport,
  Report,
  ReportRow,
  ReportStatus,
  ReportTotals,
  SyncPlan,
  SyncResult,
} from './reports/report.ts'
export {
  isLive,
  type Period,
  type Price,
  type Segment,
  type Subscription,
  type SubscriptionItem,
  type SubscriptionStatus,
} from './subscriptions/subscription.ts'
export type { DayUsage, MeterUsage, Usage } from './usage/usage.ts'
export type { Disagreement, DisagreementKind, SubscriptionCheck } from './usage/verify.ts'
export type { WebhookDetail, WebhookRow, WebhookStatus } from './webhooks/webhook.ts'
