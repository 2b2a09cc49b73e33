/** `received` → `processed`, or `failed` with the reason and tried again; `ignored` types change nothing here. */
export type WebhookStatus = 'received' | 'processed' | 'ignored' | 'failed'

export interface WebhookRow {
  /** Stripe's event id: each takes effect once. */
  id: string
  type: string
  payload: 'snapshot' | 'thin'
  status: WebhookStatus
  receivedAt: Date
  processedAt: Date | null
  attempts: number
  error: string | null
  objectId: string | null
}

export interface WebhookDetail extends WebhookRow {
  body: unknown
}
