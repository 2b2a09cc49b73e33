import type { Account, Kind } from '../account.ts'
import { addIntervals } from '../billing/cycle.ts'
import { refuse } from '../http/errors.ts'
import { required, text, timestamp } from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { isOver, itemsOf, type Subscription } from '../subscriptions/subscription.ts'
import { type Customer, customerParameter, deleteCustomer } from './customers.ts'
import type { Price } from './prices.ts'

export interface TestClock extends Stored {
  object: 'test_helpers.test_clock'
  deletes_after: number
  frozen_time: number
  livemode: false
  name: string | null
  status: 'ready' | 'advancing' | 'internal_failure'
  status_details: { advancing?: { target_frozen_time: number } }
}

export const testClock: Kind = { type: 'test_helpers.test_clock', noun: 'test clock' }

const DELETES_AFTER_SECONDS = 30 * 86_400

export const testClockRoutes = [
  route(
    'POST',
    '/v1/test_helpers/test_clocks',
    { frozen_time: required(timestamp()), name: text({ max: 300 }), customer: text() },
    (account, params) => {
      const created = account.seconds()
      const made = account.create<TestClock>(
        {
          id: newId('clock'),
          object: 'test_helpers.test_clock',
          created,
          deletes_after: created + DELETES_AFTER_SECONDS,
          frozen_time: params.frozen_time,
          livemode: false,
          name: params.name ?? null,
          status: 'ready',
          status_details: {},
        },
        'test_helpers.test_clock.created',
      )
      if (params.customer !== undefined) putOnClock(account, customerParameter(account, params.customer), made)
      account.timeline.schedule('test_clock', made.id, made.deletes_after * 1000)
      return account.present(made)
    },
  ),

  route('GET', '/v1/test_helpers/test_clocks/:id', {}, (account, _params, { id }) =>
    account.present(account.get<TestClock>('test_helpers.test_clock', id!)),
  ),

  route('GET', '/v1/test_helpers/test_clocks', paging, (account, params) =>
    listPage<TestClock>(account, 'test_helpers.test_clock', '/v1/test_helpers/test_clocks', params),
  ),

  route(
    'POST',
    '/v1/test_helpers/test_clocks/:id/advance',
    { frozen_time: required(timestamp()) },
    (account, params, { id }) => {
      const before = account.get<TestClock>('test_helpers.test_clock', id!)
      checkAdvance(account, before, params.frozen_time)
      const advancing = account.objects.save<TestClock>({
        ...before,
        status: 'advancing',
        status_details: { advancing: { target_frozen_time: params.frozen_time } },
      })
      account.events.emit('test_helpers.test_clock.advancing', account.present(advancing))
      // After this answer: the clock is ready when all that fell due has happened.
      setImmediate(() => void runClock(account, before.id, params.frozen_time))
      return account.present(advancing)
    },
  ),

  route('DELETE', '/v1/test_helpers/test_clocks/:id', {}, (account, _params, { id }) => {
    const gone = account.get<TestClock>('test_helpers.test_clock', id!)
    deleteClock(account, gone)
    account.timeline.schedule('test_clock', gone.id, null)
    return { id: gone.id, object: 'test_helpers.test_clock', deleted: true }
  }),
]

/** With its customers, whose subscriptions end. */
function deleteClock(account: Account, clock: TestClock): void {
  for (const customer of customersOf(account, clock.id)) if (!customer._deleted) deleteCustomer(account, customer)
  account.objects.remove(clock.id)
  account.events.emit('test_helpers.test_clock.deleted', account.present(clock))
}

/** A clock deletes itself after 30 days. */
export function clockDue(account: Account, id: string): void {
  const clock = account.objects.find<TestClock>('test_helpers.test_clock', id)
  if (clock) deleteClock(account, clock)
}

/** Moves one clock and whatever hangs on it; also what was under way when the process ended. */
export async function runClock(account: Account, id: string, target: number): Promise<void> {
  const find = () => account.objects.find<TestClock>('test_helpers.test_clock', id)
  try {
    await account.timeline.advanceClock(id, target * 1000, (atMs) => {
      const clock = find()
      if (clock) account.objects.save<TestClock>({ ...clock, frozen_time: Math.floor(atMs / 1000) })
    })
    finish('ready')
  } catch {
    finish('internal_failure')
  }

  function finish(status: 'ready' | 'internal_failure'): void {
    // Left as advancing, it goes on when the state is opened again.
    if (account.timeline.isClosed) return
    account.db.transaction(() => {
      const clock = find()
      if (!clock) return
      const done = account.objects.save<TestClock>({ ...clock, status, status_details: {} })
      account.events.emit(`test_helpers.test_clock.${status}`, account.present(done))
    })
    account.deliveries.kick()
  }
}

/** Clocks that were moving when the process ended. */
export function resumeClocks(account: Account): void {
  for (const clock of account.objects.all<TestClock>('test_helpers.test_clock', { '$.status': 'advancing' })) {
    const target = clock.status_details.advancing?.target_frozen_time
    if (target !== undefined) void runClock(account, clock.id, target)
  }
}

function putOnClock(account: Account, customer: Customer, clock: TestClock): void {
  if (customer.test_clock !== null)
    throw refuse('This customer is already attached to a test clock.', { param: 'customer' })
  if (account.objects.count('subscription', { '$.customer': customer.id }) > 0) {
    throw refuse('A customer with subscriptions cannot be attached to a test clock.', { param: 'customer' })
  }
  account.change(customer, { test_clock: clock.id }, 'customer.updated')
}

export function checkRoom(account: Account, clock: string): void {
  const max = account.testClockCustomersMax
  if (max === Number.POSITIVE_INFINITY) return
  if (account.objects.count('customer', { '$.test_clock': clock, '$._deleted': null }) >= max) {
    throw refuse(`A test clock can have at most ${max} customers.`, { param: 'test_clock' })
  }
}

function customersOf(account: Account, clock: string): Customer[] {
  return account.objects.all<Customer>('customer', { '$.test_clock': clock })
}

/** Not backwards, and not further than two of the shortest intervals that hang on the clock. */
function checkAdvance(account: Account, clock: TestClock, target: number): void {
  if (clock.status !== 'ready') throw refuse('Test clock advancement underway - cannot advance again until it is done.')
  if (target <= clock.frozen_time)
    throw refuse('The frozen time must be after the current frozen time.', { param: 'frozen_time' })
  const limits = account.objects
    .all<Subscription>('subscription', { '$.test_clock': clock.id })
    .filter((subscription) => !isOver(subscription))
    .flatMap((subscription) => itemsOf(account, subscription.id))
    .map((item) => addIntervals(clock.frozen_time, account.get<Price>('price', item.price).recurring!, 2))
  const limit = Math.min(...limits, addIntervals(clock.frozen_time, { interval: 'year', interval_count: 1 }, 2))
  if (target > limit) {
    throw refuse(
      'Test clocks can only be advanced by two intervals from the initial frozen time based on the shortest subscription interval.',
      { param: 'frozen_time' },
    )
  }
}
