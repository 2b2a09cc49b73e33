import assert from 'node:assert/strict'
import { test } from 'node:test'
import { world } from '../../test/world.ts'
import { trigger, triggerable } from './trigger.ts'

test('every event that is offered can be triggered', async (t) => {
  const { local, stripe } = await world(t, new Date().toISOString())
  for (const type of triggerable) {
    const id = await trigger(local, type).catch((error) => assert.fail(`${type}: ${error.message}`))
    if (!type.startsWith('v1.')) assert.equal((await stripe.events.retrieve(id)).type, type)
  }
})

test('an unknown event is answered by the list of those that are known', async (t) => {
  const { local } = await world(t, '2026-01-10T08:00:00Z')
  await assert.rejects(
    trigger(local, 'invoice.payed'),
    /"invoice.payed" cannot be triggered. These can:\n(.*\n)* {2}invoice.paid\n/,
  )
})
