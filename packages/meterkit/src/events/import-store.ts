import type { Pool, PoolClient } from 'pg'
import { v7 as newUuid } from 'uuid'
import { type Database, firstRow, isTransient, rows, transaction } from '../database/database.ts'
import { MeterkitError } from '../errors.ts'
import type { MeterEvent } from './event.ts'
import type { ImportFormat } from './import-lines.ts'
import { insertEvents } from './store.ts'
import { requireTrace, type VoidTrace, voidPiece } from './void.ts'

const BATCH_EVENTS = 5_000
/** Others' batches lock the same rollups in an order of their own: the database then ends one of the two. */
const DEADLOCKS_MAX = 3

const COLUMNS = `id, name, format, lines, events, imported_by as "by", imported_at as "importedAt",
  reverted_at as "revertedAt", reverted_by as "revertedBy", revert_reason as "revertReason"`

/** One file that was imported as a batch. */
export interface EventImport {
  id: string
  name: string
  format: ImportFormat
  /** Events in the file. */
  lines: number
  /** Stored by it: less those that were there already. */
  events: number
  by: string
  importedAt: Date
  /** Once all of its events are void. */
  revertedAt: Date | null
  revertedBy: string | null
  revertReason: string | null
}

export async function importOfContent(db: Database, digest: string): Promise<EventImport | null> {
  return firstRow<EventImport>(
    db,
    `select ${COLUMNS} from billing.event_imports where digest = $1 and reverted_at is null`,
    [digest],
  )
}

/** Newest first. */
export async function listImports(db: Database, limit: number): Promise<EventImport[]> {
  return rows<EventImport>(db, `select ${COLUMNS} from billing.event_imports order by imported_at desc, id limit $1`, [
    limit,
  ])
}

/** All events and the batch they belong to, or nothing. @returns the earlier batch where somebody was faster */
export async function storeImport(
  pool: Pool,
  file: Pick<EventImport, 'name' | 'by' | 'format' | 'lines'> & { digest: string },
  events: readonly MeterEvent[],
): Promise<{ isNew: boolean; batch: EventImport }> {
  const sorted = inOrderOfRollups(events)
  for (let attempt = 1; ; attempt++) {
    try {
      const batch = await transaction(pool, (client) => store(client, file, sorted))
      return batch ? { isNew: true, batch } : { isNew: false, batch: (await importOfContent(pool, file.digest))! }
    } catch (error) {
      if (!isTransient(error) || attempt > DEADLOCKS_MAX || (error as { code?: string }).code !== '40P01') throw error
    }
  }
}

function inOrderOfRollups(events: readonly MeterEvent[]): MeterEvent[] {
  const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0)
  return events.toSorted(
    (a, b) =>
      compare(a.customerId, b.customerId) ||
      compare(a.subscriptionId, b.subscriptionId) ||
      a.meterId - b.meterId ||
      a.occurredAt - b.occurredAt,
  )
}

/** @returns null where the same content was stored meanwhile */
async function store(
  client: PoolClient,
  file: Parameters<typeof storeImport>[1],
  events: readonly MeterEvent[],
): Promise<EventImport | null> {
  const id = newUuid()
  const claimed = await client.query(
    /* sql */ `
    insert into billing.event_imports (id, name, digest, format, lines, events, imported_by)
    values ($1, $2, $3, $4, $5, 0, $6)
    on conflict (digest) where reverted_at is null do nothing`,
    [id, file.name, file.digest, file.format, file.lines, file.by],
  )
  if (claimed.rowCount === 0) return null
  let stored = 0
  for (let at = 0; at < events.length; at += BATCH_EVENTS) {
    const batch = events.slice(at, at + BATCH_EVENTS)
    const inserted = await insertEvents(client, batch)
    // with fewer than offered, another process was faster with some of their keys: only the database knows which
    const kept =
      inserted === batch.length
        ? ''
        : 'where exists (select 1 from billing.meter_events as event where event.id = batch.id)'
    await client.query(
      /* sql */ `
      insert into billing.import_events (customer_id, import_id, event_id)
      select customer_id, $1, id from unnest($2::uuid[], $3::uuid[]) as batch (customer_id, id) ${kept}`,
      [id, batch.map((event) => event.customerId), batch.map((event) => event.id)],
    )
    stored += inserted
  }
  return firstRow<EventImport>(
    client,
    `update billing.event_imports set events = $2 where id = $1 returning ${COLUMNS}`,
    [id, stored],
  )
}

/**
 * Takes back what a batch stored: its events become void, in pieces. Where that is cut short, doing it again goes on.
 * @returns how many are void now and were not before
 * @throws MeterkitError `unknown_import`, `reason_required`
 */
export async function revertImport(pool: Pool, id: string, trace: VoidTrace, now: Date): Promise<number> {
  requireTrace('events.revertImport', trace)
  const known = await firstRow<{ id: string }>(pool, 'select id from billing.event_imports where id::text = $1', [id])
  if (!known) {
    const sentence = `events.revertImport: there is no import ${JSON.stringify(id)}. events.imports() lists them.`
    throw new MeterkitError('unknown_import', sentence, { field: 'id', value: id })
  }
  let voided = 0
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const piece = await rows<{ event_id: string }>(
      pool,
      /* sql */ `
      select event_id from billing.import_events where import_id = $1 and event_id > $2
      order by event_id limit ${BATCH_EVENTS}`,
      [id, after],
    )
    const ids = piece.map((row) => row.event_id)
    if (ids.length === 0) break
    voided += await transaction(pool, (client) => voidPiece(client, ids, trace, now))
    after = ids.at(-1)!
  }
  await pool.query(
    /* sql */ `
    update billing.event_imports set reverted_at = $4, reverted_by = $2, revert_reason = $3
    where id = $1 and reverted_at is null`,
    [id, trace.by, trace.reason, now],
  )
  return voided
}
