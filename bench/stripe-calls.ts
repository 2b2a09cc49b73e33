import { inWorld, type Row } from './world.ts'

const EVENTS = 1_000_000
const SUBSCRIPTIONS = 100

/** How often Stripe is called for a million events within an hour. */
export async function stripeCalls(): Promise<Row[]> {
  return inWorld(SUBSCRIPTIONS, async ({ meterkit, subscribers, stripeLocal }) => {
    const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000
    for (let index = 0; index < EVENTS; index++) {
      // the hour in which the subscriptions began: their part of it is one rollup each
      meterkit.recordEvent({
        meter: 'ai_tokens',
        ...subscribers[index % SUBSCRIPTIONS]!,
        quantity: 1,
        timestamp: new Date(Math.max(hour, Date.now())),
      })
      if (index % 20_000 === 0) await meterkit.events.drained()
    }
    await meterkit.events.drained()
    const before = stripeLocal.requestCount('/v1/billing/meter_events')
    const began = performance.now()
    await meterkit.reports.sync()
    const calls = stripeLocal.requestCount('/v1/billing/meter_events') - before
    const seconds = ((performance.now() - began) / 1_000).toFixed(1)
    return [
      {
        what: `Stripe calls for ${EVENTS.toLocaleString('en-US')} events of ${SUBSCRIPTIONS} subscriptions in an hour`,
        promised: `≤ ${SUBSCRIPTIONS}`,
        measured: `${calls} (in ${seconds} s)`,
        kept: calls <= SUBSCRIPTIONS,
      },
    ]
  })
}
