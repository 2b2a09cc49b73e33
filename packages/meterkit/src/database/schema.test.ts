import assert from 'node:assert/strict'
import { test } from 'node:test'
import { database } from '../../test/database.ts'
import { rows } from './database.ts'

/*
 * The schema must stay distributable by customer (docs/decisions/0002): a shard holds all of a customer's rows, so a key
 * that must be unique across the table has to hold the customer. Checked on the catalog, since no sharded server is at hand.
 */
const CUSTOMER_TABLES = [
  'customers',
  'subscriptions',
  'segments',
  'meter_events',
  'event_keys',
  'event_voids',
  'import_events',
  'set_aside_events',
  'rollups',
  'reports',
  'invoices',
]

test('every unique key of a table that grows with customers holds the customer', async (t) => {
  const pool = await database(t)
  const keys = await rows<{ table: string; columns: string[] }>(
    pool,
    `select c.relname as table, array_agg(a.attname::text order by a.attname) as columns
     from pg_index i
     join pg_class c on c.oid = i.indrelid and c.relnamespace = 'billing'::regnamespace and not c.relispartition
     join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
     where i.indisunique and c.relname = any ($1)
     group by c.relname, i.indexrelid`,
    [CUSTOMER_TABLES],
  )

  assert.deepEqual([...new Set(keys.map((key) => key.table))].sort(), [...CUSTOMER_TABLES].sort())
  for (const { table, columns } of keys) {
    assert.ok(columns.includes(table === 'customers' ? 'id' : 'customer_id'), `${table} (${columns.join(', ')})`)
  }
})

test('no trigger stands on a table, and no index of rollups names a number that changes with every batch', async (t) => {
  const pool = await database(t)
  const triggers = await rows<{ name: string }>(
    pool,
    `select t.tgname as name from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where not t.tgisinternal and c.relnamespace = 'billing'::regnamespace and c.relkind in ('r', 'p')`,
    [],
  )
  const indexes = await rows<{ definition: string }>(
    pool,
    `select indexdef as definition from pg_indexes where schemaname = 'billing' and tablename = 'rollups'`,
    [],
  )

  assert.deepEqual(triggers, [])
  assert.equal(indexes.length, 2)
  for (const { definition } of indexes) assert.doesNotMatch(definition, /quantity|events|reported/)
})
