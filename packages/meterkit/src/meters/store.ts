import type { Pool } from 'pg'
import { rows } from '../database/database.ts'
import type { Meter } from '../plans/config.ts'

/**
 * Gives each meter of the config its number, the same in every process and for ever.
 * A meter that left the config keeps its row: its events still name it.
 */
export async function storeMeters(pool: Pool, meters: Iterable<Meter>): Promise<Meter[]> {
  const wanted = [...meters]
  const stored = await rows<{ id: number; eventName: string }>(
    pool,
    /* sql */ `
    with known as (
      select coalesce(max(id), 0) as last from billing.meters
    )
    insert into billing.meters (id, event_name, display_name, aggregation, unit)
    select known.last + row_number() over (order by name), name, display_name, aggregation, unit
    from known, unnest($1::text[], $2::text[], $3::text[], $4::text[]) as config (name, display_name, aggregation, unit)
    on conflict (event_name) do update
    set display_name = excluded.display_name, aggregation = excluded.aggregation, unit = excluded.unit
    returning id, event_name as "eventName"`,
    [
      wanted.map((meter) => meter.eventName),
      wanted.map((meter) => meter.displayName),
      wanted.map((meter) => meter.aggregation),
      wanted.map((meter) => meter.unit),
    ],
  )
  const ids = new Map(stored.map((row) => [row.eventName, row.id]))
  return wanted.map((meter) => ({ ...meter, id: ids.get(meter.eventName)! }))
}

/** As the app has stored them. */
export async function readMeters(pool: Pool): Promise<Meter[]> {
  return rows<Meter>(
    pool,
    `select id, event_name as "eventName", display_name as "displayName", aggregation, unit from billing.meters order by id`,
    [],
  )
}
