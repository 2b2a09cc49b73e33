import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ID_CURSOR, listFilter, NUMBER_CURSOR } from './list-filter.ts'

const ID = '01a21014-823d-717b-9f24-eb7fd7cef5cd'
const at = (search: string) => listFilter(new URL(`http://localhost/admin/meter-events${search}`), ['failed', 'void'])

test('a list’s address says status, search and page', () => {
  assert.deepEqual(at(''), {})
  assert.deepEqual(at(`?status=failed&search=+acme+&after=b${ID}`), {
    status: 'failed',
    search: 'acme',
    cursor: `b${ID}`,
  })
  assert.equal(at(`?before=newer_${ID}`).cursor, `newer_${ID}`)
  assert.equal(at('?after=bevt_1Abc').cursor, 'bevt_1Abc')
})

test('what means nothing here leaves the address', () => {
  const cases: [search: string, location: string][] = [
    ['?status=nonsense&search=x', '/admin/meter-events?search=x'],
    ['?customer=zzz', '/admin/meter-events'],
    [`?after=${ID}`, '/admin/meter-events'],
    ["?status=void&after=b'; drop table billing.meter_events", '/admin/meter-events?status=void'],
  ]
  for (const [search, location] of cases)
    assert.throws(
      () => at(search),
      (thrown) => thrown instanceof Response && thrown.headers.get('location') === location,
      search,
    )
})

test('lists of the app itself go on after an id or a number', () => {
  const list = (search: string, cursors: RegExp) => listFilter(new URL(`http://localhost/x${search}`), [], cursors)
  assert.deepEqual(list(`?after=${ID}`, ID_CURSOR), { cursor: ID })
  assert.deepEqual(list('?after=42', NUMBER_CURSOR), { cursor: '42' })
})
