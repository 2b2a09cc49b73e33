import assert from 'node:assert/strict'
import { test } from 'node:test'
import { database } from '../../test/database.ts'
import { jsonbArray, nullableTextArray, textArray, timestampArray, uuidArray } from './binary-array.ts'

test('PostgreSQL reads each column as it was meant', async (t) => {
  const pool = await database(t)
  const values = [
    uuidArray(['0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF']),
    timestampArray([0, 1_764_054_000_123]),
    jsonbArray([{ note: 'a "quoted" \\ naïve 例' }, null]),
    nullableTextArray(['', null]),
    textArray(['1', '0.5']),
  ]

  const { rows } = await pool.query(
    `select a::text, to_char(b at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as b, c, d, e::text
     from unnest($1::uuid[], $2::timestamptz[], $3::jsonb[], $4::text[], $5::numeric[]) as batch (a, b, c, d, e)`,
    values,
  )

  assert.deepEqual(rows, [
    {
      a: '0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b',
      b: '1970-01-01 00:00:00.000000',
      c: { note: 'a "quoted" \\ naïve 例' },
      d: '',
      e: '1',
    },
    {
      a: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
      b: '2025-11-25 07:00:00.123000',
      c: null,
      d: null,
      e: '0.5',
    },
  ])
})

test('what has no binary form goes as text, and the database refuses it', async (t) => {
  const pool = await database(t)
  const bad = [
    '0193a1b2',
    '0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2z',
    '0193a1b2xc3d4-7e5f-8a6b-7c8d9e0f1a2b',
    'a","b',
    '{}',
    '',
  ]

  for (const uuid of bad) {
    const query = pool.query('select $1::uuid[]', [uuidArray([uuid])])
    await assert.rejects(query, { code: '22P02' }, uuid)
  }
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15]) {
    await assert.rejects(pool.query('select $1::timestamptz[]', [timestampArray([time])]), /timestamp|date\/time/)
  }
})
