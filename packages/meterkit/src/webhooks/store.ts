import { type Database, firstRow, rows } from '../database/database.ts'
import type { WebhookDetail, WebhookRow, WebhookStatus } from './webhook.ts'

const COLUMNS = `id, type, payload, status, received_at as "receivedAt", processed_at as "processedAt", attempts, error,
  object_id as "objectId"`

export interface StoredWebhook {
  id: string
  type: string
  payload: 'snapshot' | 'thin'
  status: WebhookStatus
  objectId: string | null
  body: { created: number | string; [field: string]: unknown }
}

/** Stripe may send an event twice; the second time changes nothing. */
export async function storeWebhook(
  db: Database,
  webhook: Pick<StoredWebhook, 'id' | 'type' | 'payload' | 'objectId' | 'body'>,
  now: Date,
): Promise<void> {
  await db.query(
    /* sql */ `
    insert into billing.webhooks (id, type, payload, body, object_id, received_at) values ($1, $2, $3, $4, $5, $6)
    on conflict (id) do nothing`,
    [webhook.id, webhook.type, webhook.payload, JSON.stringify(webhook.body), webhook.objectId, now],
  )
}

export async function getWebhook(db: Database, id: string): Promise<StoredWebhook | null> {
  return firstRow<StoredWebhook>(
    db,
    `select id, type, payload, status, object_id as "objectId", body from billing.webhooks where id = $1`,
    [id],
  )
}

export async function settleWebhook(
  db: Database,
  id: string,
  { status, error, now }: { status: WebhookStatus; error: string | null; now: Date },
): Promise<void> {
  await db.query(
    /* sql */ `
    update billing.webhooks
    set status = $2, error = $3, attempts = attempts + 1, processed_at = case when $2 = 'failed' then processed_at else $4 end
    where id = $1`,
    [id, status, error, now],
  )
}

/** Those that failed, and those stored before `untouchedSince` that nobody has taken up. Oldest first. */
export async function webhooksToRetry(db: Database, untouchedSince: Date): Promise<string[]> {
  const found = await rows<{ id: string }>(
    db,
    /* sql */ `
    select id from billing.webhooks
    where status = 'failed' or (status = 'received' and received_at < $1)
    order by received_at, id
    limit 1000`,
    [untouchedSince],
  )
  return found.map((row) => row.id)
}

export async function unprocessedWebhooks(db: Database): Promise<string[]> {
  const found = await rows<{ id: string }>(
    db,
    `select id from billing.webhooks where status in ('received', 'failed') order by received_at, id limit 1000`,
    [],
  )
  return found.map((row) => row.id)
}

export async function listWebhooks(
  db: Database,
  filter: { status: WebhookStatus | null; search: string | null; cursor: string | null; limit: number },
): Promise<WebhookRow[]> {
  return rows<WebhookRow>(
    db,
    /* sql */ `
    select ${COLUMNS} from billing.webhooks
    where ($1::text is null or status = $1)
      and ($2::text is null or id = $2 or object_id = $2 or type ilike '%' || $2 || '%')
      and ($3::text is null or (received_at, id) < (select received_at, id from billing.webhooks where id = $3))
    order by received_at desc, id desc
    limit $4`,
    [filter.status, filter.search, filter.cursor, filter.limit],
  )
}

export async function countWebhooks(db: Database): Promise<Record<WebhookStatus, number>> {
  const counted = await rows<{ status: WebhookStatus; count: number }>(
    db,
    'select status, count(*)::int as count from billing.webhooks group by status',
    [],
  )
  const none = { received: 0, processed: 0, ignored: 0, failed: 0 }
  return { ...none, ...Object.fromEntries(counted.map((row) => [row.status, row.count])) }
}

export async function webhookDetail(db: Database, id: string): Promise<WebhookDetail | null> {
  return firstRow<WebhookDetail>(db, `select ${COLUMNS}, body from billing.webhooks where id = $1`, [id])
}
