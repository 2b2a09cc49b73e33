import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pass, subscriber, use, world } from '../../test/world.ts'

const MINUTE_MS = 60_000

test('usage waits from its first unreported event, not from the hour it is summed in', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const waitsSince = async () => {
    await w.meterkit.events.drained()
    return (await w.meterkit.reports.counts()).oldestUnreportedAt?.toISOString() ?? null
  }
  const record = () => {
    use(w, acme, 100)
    return w.clock().toISOString()
  }
  assert.equal(await waitsSince(), null)

  await pass(w, 40 * MINUTE_MS)
  const first = record()
  await pass(w, MINUTE_MS)
  record()
  assert.equal(await waitsSince(), first)
  await w.meterkit.reports.sync()
  assert.equal(await waitsSince(), null)

  await pass(w, 5 * MINUTE_MS) // still in that hour, whose earlier events are reported
  const second = record()
  assert.equal(await waitsSince(), second)
})
