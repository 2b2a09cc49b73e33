import assert from 'node:assert/strict'
import { conformance, seconds } from './conformance.ts'
import { refusal } from './refusal.ts'

const START = '2026-01-10T08:00:00Z'

conformance(
  'a clock stands where it was put, for 30 days',
  'stripe TestClock.deletes_after: "Time at which this clock is scheduled to auto delete."; docs.stripe.com/billing/testing/test-clocks: deleted after 30 days',
  async ({ stripe }) => {
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(START), name: 'january' })

    assert.deepEqual([clock.frozen_time, clock.name, clock.status], [seconds(START), 'january', 'ready'])
    assert.deepEqual({ ...clock.status_details }, {})
    assert.equal(clock.deletes_after - clock.created, 30 * 86_400)
    const listed = await stripe.testHelpers.testClocks.list({ limit: 100 })
    assert(listed.data.some(({ id }) => id === clock.id))
    await stripe.testHelpers.testClocks.del(clock.id)
  },
)

conformance(
  'advancing is answered at once and done when ready',
  'stripe TestClockResource.advance: "Starts advancing a test clock to a specified time in the future. Advancement is done when status changes to `Ready`."',
  async ({ stripe, eventually }) => {
    const { id } = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(START) })
    const target = seconds('2026-03-01T00:00:00Z')

    const advancing = await stripe.testHelpers.testClocks.advance(id, { frozen_time: target })

    assert.equal(advancing.status, 'advancing')
    assert.equal(advancing.status_details.advancing?.target_frozen_time, target)
    await eventually(async () => {
      const { status, frozen_time: at } = await stripe.testHelpers.testClocks.retrieve(id)
      assert.deepEqual([status, at], ['ready', target])
    })
    await eventually(async () => {
      const { data } = await stripe.events.list({ type: 'test_helpers.test_clock.*', limit: 50 })
      const types = data.filter((event) => (event.data.object as { id?: string }).id === id).map(({ type }) => type)
      assert.deepEqual(types, [
        'test_helpers.test_clock.ready',
        'test_helpers.test_clock.advancing',
        'test_helpers.test_clock.created',
      ])
    })
    await stripe.testHelpers.testClocks.del(id)
  },
)

conformance(
  'time only moves forward, without subscriptions at most two years at once',
  'stripe TestClockAdvanceParams.frozen_time: "Must be after the test clock\'s current frozen time. … If there are no subscriptions in this test clock, it cannot be more than two years in the future."',
  async ({ stripe }) => {
    const { id } = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(START) })

    for (const at of [START, '2026-01-10T07:59:59Z', '2028-01-12T00:00:00Z']) {
      await assert.rejects(
        stripe.testHelpers.testClocks.advance(id, { frozen_time: seconds(at) }),
        refusal({ type: 'invalid_request_error' }),
      )
    }
    await stripe.testHelpers.testClocks.del(id)
  },
)

conformance(
  'with a subscription at most two of its intervals at once',
  'stripe TestClockAdvanceParams.frozen_time: "Cannot be more than two intervals in the future from the shortest subscription in this test clock."',
  async ({ stripe, clock }) => {
    const { id, customer } = await clock(START)
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'month' },
      product_data: { name: 'Flat' },
    })
    const subscription = await stripe.subscriptions.create({
      customer: (await customer()).id,
      items: [{ price: price.id }],
    })
    assert.equal(subscription.test_clock, id)

    await assert.rejects(
      stripe.testHelpers.testClocks.advance(id, { frozen_time: seconds('2026-04-11T08:00:00Z') }),
      refusal({ type: 'invalid_request_error' }),
    )
  },
)

conformance(
  'deleting a clock deletes its customers and ends their subscriptions',
  'docs.stripe.com/billing/testing/test-clocks: "Deleting a test clock … deletes its customers and cancels their subscriptions"',
  async ({ stripe }) => {
    const { id } = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(START) })
    const customer = await stripe.customers.create({ test_clock: id })

    assert.deepEqual(
      { ...(await stripe.testHelpers.testClocks.del(id)) },
      { id, object: 'test_helpers.test_clock', deleted: true },
    )

    await assert.rejects(stripe.testHelpers.testClocks.retrieve(id), refusal({ status: 404, code: 'resource_missing' }))
    const gone = await stripe.customers.retrieve(customer.id)
    assert.equal(gone.deleted, true)
  },
)

conformance(
  'an existing customer can be put on a new clock',
  'stripe TestClockCreateParams.customer: "Existing customer this test clock will be attached to. Once attached, customers can\'t be removed from a test clock."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()

    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(START), customer: customer.id })

    const attached = await stripe.customers.retrieve(customer.id)
    assert(!attached.deleted)
    assert.equal(attached.test_clock, clock.id)
    await stripe.testHelpers.testClocks.del(clock.id)
  },
)
