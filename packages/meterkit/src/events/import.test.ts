import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Subscriber, subscriber, use, type World, world } from '../../test/world.ts'
import type { ImportResult } from './import.ts'

const importing = (
  { meterkit }: World,
  content: string,
  { format = 'csv', dryRun = false }: { format?: 'csv' | 'jsonl'; dryRun?: boolean } = {},
) => meterkit.events.import({ content, format, name: `usage.${format}`, by: 'omar', dryRun })

const counts = ({ applied, lines, events, duplicates, errorCount }: ImportResult) => ({
  applied,
  lines,
  events,
  duplicates,
  errorCount,
})

const CSV = ({ customer, subscription }: Subscriber) =>
  [
    'meter,customerId,source,sourceId,subscriptionId,quantity,timestamp,id,properties.model',
    `ai_tokens,${customer.id},,,${subscription.id},1200,2026-11-24T12:00:00Z,call-1,demo`,
    `ai_tokens,,organization,acme,${subscription.stripeId},345.5,2026-11-24T14:00:00+02:00,call-2,"a ""quoted"", model"`,
    '',
    `ai_tokens,,organization,acme,,54.5,2026-11-24T12:00:00Z,,`,
    `ai_tokens,${customer.id},,,${subscription.id},1200,2026-11-24T12:00:00Z,call-1,demo`, // the first once more
  ].join('\r\n')

async function stored({ pool, meterkit }: World): Promise<string[]> {
  await meterkit.events.drained()
  const { rows } = await pool.query<{ shown: string }>(
    `select concat_ws(' ', trim_scale(quantity), key, properties) as shown from billing.meter_events order by quantity`,
  )
  return rows.map((row) => row.shown)
}

test('a CSV file is checked by a dry run, stored as one batch, and stored once', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 800)
  await w.meterkit.events.drained()

  const dry = await importing(w, CSV(acme), { dryRun: true })
  assert.deepEqual(counts(dry), { applied: false, lines: 4, events: 3, duplicates: 1, errorCount: 0 })
  // 800 are one package of 1,000; 1,600 more make 3: 2 × 5 cents more
  assert.deepEqual(
    dry.totals.map(({ subscriptionId, quantity, amount, elsewhere }) => [subscriptionId, quantity, amount, elsewhere]),
    [[acme.subscription.id, '1600', 10n, 0]],
  )
  assert.equal((await stored(w)).length, 1)

  const done = await importing(w, CSV(acme))
  assert.deepEqual(counts(done), { applied: true, lines: 4, events: 3, duplicates: 1, errorCount: 0 })
  assert.deepEqual(await stored(w), [
    '54.5',
    '345.5 call-2 {"model": "a \\"quoted\\", model"}',
    '800',
    '1200 call-1 {"model": "demo"}',
  ])
  assert.equal((await w.meterkit.usage.current(acme.subscription.id))!.meters[0]!.quantity, '2400')

  const again = await importing(w, CSV(acme))
  assert.deepEqual([again.applied, again.alreadyImported, again.batch!.id], [false, true, done.batch!.id])
  assert.equal((await stored(w)).length, 4)
  const [batch] = await w.meterkit.events.imports()
  assert.deepEqual([batch!.name, batch!.by, batch!.lines, batch!.events], ['usage.csv', 'omar', 4, 3])
})

test('with any error nothing is stored, and each is told with its line', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 5)
  w.meterkit.recordEvent({
    meter: 'ai_tokens',
    customerId: acme.customer.id,
    subscriptionId: acme.subscription.id,
    quantity: 5,
    id: 'taken',
  })
  await w.meterkit.events.drained()
  const line = (facts: object) =>
    JSON.stringify({ meter: 'ai_tokens', customerId: acme.customer.id, quantity: 1, ...facts })
  const content = [
    line({}),
    '{ "meter": ',
    line({ quantity: -3 }),
    line({ meter: 'ai_tokns' }),
    '',
    line({ customerId: 'nobody' }),
    line({ timestamp: '2026-11-24T10:00:00' }),
    line({ timestamp: '2027-01-01T00:00:00Z' }),
    line({ id: 'taken', quantity: 6 }),
    line({ id: 'twice' }),
    line({ id: 'twice', quantity: 2 }),
    line({ Quantity: 2 }),
    line({ properties: ['demo'] }),
    line({ properties: { model: {} } }),
    line({ source: 'organisation', sourceId: 'acme' }),
    '[]',
    line({ customerId: undefined, source: 'organization', sourceId: 'nobody' }),
    line({ quantity: null }),
    line({ timestamp: '2026-09-31T10:00:00Z' }),
  ].join('\n')

  const result = await importing(w, content, { format: 'jsonl' })
  assert.equal(result.applied, false)
  assert.deepEqual(
    result.errors.map(({ line: at, code }) => `${at} ${code}`),
    [
      '2 invalid_import',
      '3 negative_quantity',
      '4 unknown_meter',
      '6 unknown_customer',
      '7 invalid_timestamp',
      '8 future_timestamp',
      '9 event_conflict',
      '11 event_conflict',
      '12 invalid_import',
      '13 invalid_import',
      '14 invalid_properties',
      '15 unknown_customer',
      '16 invalid_import',
      '17 unknown_customer',
      '18 invalid_quantity',
      '19 invalid_timestamp',
    ],
  )
  assert.match(result.errors[7]!.message, /the id "twice" was used on line 10 with another content/)
  assert.match(result.errors[8]!.message, /there is no key "Quantity"; did you mean quantity\?/)
  assert.match(result.errors[13]!.message, /^organization with sourceId "nobody" is not a customer here/)
  assert.equal((await stored(w)).length, 2)
  assert.deepEqual(await w.meterkit.events.imports(), [])
  const { rows } = await w.pool.query('select 1 from billing.set_aside_events')
  assert.equal(rows.length, 0)
})

test('a CSV that is none says where it begins to be none', async (t) => {
  const w = await world(t)
  const problems = async (content: string) =>
    (await importing(w, content)).errors.map(({ line, message }) => `${line}: ${message.split(' (invalid')[0]}`)

  assert.deepEqual(await problems(''), ['1: the file is empty: its first line must name the columns.'])
  assert.match((await problems('meter,kwantity\n'))[0]!, /^1: there is no column "kwantity"\. Columns: meter, /)
  assert.deepEqual(await problems('meter,quantity\nai_tokens\n'), ['2: it has 1 values, and the header has 2 names.'])
  for (const [content, problem] of [
    ['meter,quantity\nai_tokens,1\nai_tokens,"1\n', /^\d: it is no CSV from here on: Quote Not Closed/],
    ['meter,quantity\nai_tokens,a "b" c\n', /^2: it is no CSV from here on: Invalid Opening Quote/],
  ] as const) {
    const told = await problems(content)
    assert.equal(told.length, 1)
    assert.match(told[0]!, problem)
  }
})

test('a batch is taken back as a whole, again where that was cut short, and the file may come again', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 100)
  await w.meterkit.events.drained()
  const { batch } = await importing(w, CSV(acme))
  await w.meterkit.reports.sync()

  await assert.rejects(w.meterkit.events.revertImport(batch!.id, { by: 'omar', reason: '' }), {
    code: 'reason_required',
  })
  await assert.rejects(w.meterkit.events.revertImport('7', { by: 'omar', reason: 'x' }), { code: 'unknown_import' })
  const trace = { by: 'omar', reason: 'the wrong month' }
  assert.equal(await w.meterkit.events.revertImport(batch!.id, trace), 3)
  assert.equal(await w.meterkit.events.revertImport(batch!.id, trace), 0)

  assert.equal((await w.meterkit.usage.current(acme.subscription.id))!.meters[0]!.quantity, '100')
  for await (const check of w.meterkit.verify()) assert.deepEqual(check.disagreements, [])
  await w.meterkit.reports.sync()
  await w.stripeLocal.idle()
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '100')
  const [reverted] = await w.meterkit.events.imports()
  assert.deepEqual([reverted!.revertedBy, reverted!.revertReason], ['omar', 'the wrong month'])

  // what had an id of its own stays taken back: an id counts once, forever
  const again = await importing(w, CSV(acme))
  assert.deepEqual(counts(again), { applied: true, lines: 4, events: 1, duplicates: 3, errorCount: 0 })
})

test('many events: pieces of a file as they are read, one transaction, taken back in pieces', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  async function* content() {
    yield 'meter,source,sourceId,quantity,timestamp\n'
    for (let hour = 0; hour < 120; hour++) {
      const at = new Date(w.clock().getTime() - hour * 3_600_000).toISOString()
      yield `ai_tokens,organization,acme,2,${at}\n`.repeat(100)
    }
  }
  const result = await w.meterkit.events.import({ content: content(), format: 'csv', name: 'big.csv', by: 'omar' })
  assert.equal(result.batch!.events, 12_000)
  for await (const check of w.meterkit.verify()) assert.deepEqual([check.agrees, check.events], [true, 12_000])

  assert.equal(await w.meterkit.events.revertImport(result.batch!.id, { by: 'omar', reason: 'a test' }), 12_000)
  for await (const check of w.meterkit.verify()) assert.deepEqual([check.agrees, check.events], [true, 0])
  assert.equal(acme.subscription.status, 'active')
})
