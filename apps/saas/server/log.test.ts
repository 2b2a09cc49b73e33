import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from './log.ts'

test('lines carry the ids of events and reports, and no secret, wherever it stands', () => {
  for (const production of [true, false]) {
    const lines: string[] = []
    const log = createLog({ logLevel: 'info', production }, (line) => lines.push(line))
    log.info({ event: '0193a5b0-1', report: '0193a5b0-2', identifier: 'meterkit_0193a5b0-2' }, 'report')
    log.warn({ secret: 'hush-1', stripe: { token: 'hush-2', options: { password: 'hush-3' } } }, 'nested')
    log.error({ error: 'connect postgresql://me:hush-4@db.example.com:5432/app failed' }, 'database')
    log.error(
      { error: 'Invalid API Key provided: sk_live_hush5abcdef', headers: { authorization: 'Bearer hush-6' } },
      'x',
    )
    log.info({ request: 'r' }, 'signed with whsec_hush7abcdef and sk-ant-hush8abcdef, Bearer hush-9')

    const written = lines.join('')
    assert.doesNotMatch(written, /hush/)
    assert.match(written, /0193a5b0-1/)
    assert.match(written, /meterkit_0193a5b0-2/)
    assert.match(written, /postgresql:\/\/me:\[secret\]@db\.example\.com:5432\/app failed/)
    assert.match(written, /Invalid API Key provided: \[secret\]/)
    assert.equal(lines.length, 5)
    if (production) for (const line of lines) assert.equal(typeof JSON.parse(line).msg, 'string')
  }
})
