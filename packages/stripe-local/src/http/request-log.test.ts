import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LoggedRequest, RequestLog } from './request-log.ts'

const AT = new Date('2026-11-24T12:00:00Z')
const request = (id: string, more: Partial<LoggedRequest> = {}): LoggedRequest => ({
  id,
  at: AT,
  method: 'POST',
  path: '/v1/customers',
  query: '',
  body: '',
  idempotencyKey: null,
  userAgent: null,
  apiVersion: null,
  status: 200,
  answer: '{}',
  tookMs: 1,
  ...more,
})

test('card numbers, codes and secrets are masked in requests and answers', () => {
  const log = new RequestLog()
  log.record(
    request('req_form', {
      body: 'type=card&card[number]=4242424242424242&card[cvc]=123&card%5Bcvc%5D=124&metadata[order_number]=7',
      answer: '{"id":"we_1","secret":"whsec_abc","number":"ABC-0001"}',
    }),
  )
  log.record(request('req_json', { body: '{"card":{"number":"4242424242424242","cvc":"12\\"3"},"name":"Ada"}' }))

  assert.equal(
    log.find('req_form')?.body,
    'type=card&card[number]=****&card[cvc]=****&card%5Bcvc%5D=****&metadata[order_number]=7',
  )
  assert.equal(log.find('req_form')?.answer, '{"id":"we_1","secret":"****","number":"ABC-0001"}')
  assert.equal(log.find('req_json')?.body, '{"card":{"number":"****","cvc":"****"},"name":"Ada"}')
})

test('only the last 500 are kept, newest first, and cut when long', () => {
  const log = new RequestLog()
  for (let index = 1; index <= 1700; index++) log.record(request(`req_${index}`, { body: 'x'.repeat(20_000) }))

  const all = log.list({ limit: 10_000 })
  assert.deepEqual([all.length, all[0]?.id, all.at(-1)?.id], [500, 'req_1700', 'req_1201'])
  assert.equal(all[0]?.body.length, 16_001)
  assert.deepEqual(
    log.list({ limit: 2, before: 'req_1699', matches: ({ id }) => id !== 'req_1698' }).map(({ id }) => id),
    ['req_1697', 'req_1696'],
  )
})
