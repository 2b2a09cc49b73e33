import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listFilter } from './list-filter.ts'

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

test('what somebody made up in an address is passed over', () => {
  assert.deepEqual(at(`?status=nonsense&search=+&after=${ID}`), {})
  assert.deepEqual(at("?after=b'; drop table billing.meter_events"), {})
})
