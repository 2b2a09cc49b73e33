import type { Account } from '../account.ts'
import { ApiError, refuse } from '../http/errors.ts'
import { type Metadata, mergedMetadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { Customer } from '../resources/customers.ts'
import { cancelNow } from './cancel.ts'
import { changeItems } from './change.ts'
import { createSubscription, type ProrationBehavior } from './create.ts'
import { pause, resume } from './pause.ts'
import { discardPending } from './pending-update.ts'
import { changesTo, fieldsOf, type PhaseWish, phaseItemsOf, phasesFrom, runningPhase } from './phases.ts'
import { nextInvoice, renew } from './renewal.ts'
import {
  isOpen,
  NO_SETTINGS,
  type PauseSchedule,
  type Phase,
  type PhaseItem,
  phaseAt,
  type SubscriptionSchedule,
} from './schedule.ts'
import { isOver, itemsOf, planNext, type Subscription, type SubscriptionItem, subscriptionOf } from './subscription.ts'
import { updateSubscription } from './update.ts'

const EXPIRING_SECONDS = 7 * 86_400

export interface NewSchedule {
  customer: Customer
  billingMode: Subscription['billing_mode']
  defaults: Partial<SubscriptionSchedule['default_settings']>
  endBehavior: 'cancel' | 'release'
  metadata: Metadata
  phases: PhaseWish[]
  /** Ahead: the schedule waits; now or past: the subscription begins at once, backdated if past. */
  start: number
  pause: PauseSchedule | null
}

/** Plans a subscription in phases, and begins it if its time has come. */
export function createSchedule(account: Account, wanted: NewSchedule): SubscriptionSchedule {
  const { customer } = wanted
  const now = account.seconds(customer.test_clock)
  const phases = phasesFrom(account, wanted.phases, {
    start: wanted.start,
    now,
    billingMode: wanted.billingMode.type,
    currency: customer.currency,
  })
  if (phases.at(-1)!.end_date <= now)
    throw refuse('The last phase of a subscription schedule must end in the future.', { param: 'phases' })
  const stored = account.create<SubscriptionSchedule>({
    ...blank(account, customer),
    billing_mode: wanted.billingMode,
    default_settings: { ...NO_SETTINGS, ...wanted.defaults },
    end_behavior: wanted.endBehavior,
    metadata: wanted.metadata,
    phases,
    _pause: wanted.pause,
  })
  const begun = wanted.start <= now ? begin(account, stored, now) : stored
  account.events.emit('subscription_schedule.created', account.present(begun))
  return planSchedule(account, begun.id)
}

/** Puts a running subscription under a schedule: one phase, its running period. @throws ApiError */
export function scheduleFrom(
  account: Account,
  stored: Subscription,
  pausePlan: PauseSchedule | null,
): SubscriptionSchedule {
  if (stored.schedule !== null) {
    throw refuse(`You cannot migrate a subscription that is already attached to a schedule: \`${stored.schedule}\`.`, {
      param: 'from_subscription',
    })
  }
  if (isOver(stored) || stored.status === 'incomplete' || stored.status === 'paused') {
    throw refuse(`You cannot migrate a subscription whose status is \`${stored.status}\`.`, {
      param: 'from_subscription',
    })
  }
  const phase = runningPhase(account, stored)
  const made: SubscriptionSchedule = {
    ...blank(account, account.get<Customer>('customer', stored.customer)),
    billing_mode: stored.billing_mode,
    current_phase: { end_date: phase.end_date, start_date: phase.start_date },
    default_settings: {
      ...NO_SETTINGS,
      billing_thresholds: stored.billing_thresholds,
      collection_method: stored.collection_method,
      default_payment_method: stored.default_payment_method,
      description: stored.description,
      invoice_settings: { ...stored.invoice_settings, days_until_due: stored.days_until_due },
    },
    end_behavior: stored.cancel_at === null ? 'release' : 'cancel',
    phases: [phase],
    status: 'active',
    subscription: stored.id,
    _pause: pausePlan,
  }
  account.create(made)
  account.change<Subscription>(stored, { schedule: made.id }, 'customer.subscription.updated')
  account.events.emit('subscription_schedule.created', account.present(made))
  return planSchedule(account, made.id)
}

function blank(account: Account, customer: Customer): SubscriptionSchedule {
  return {
    id: newId('sub_sched'),
    object: 'subscription_schedule',
    billing_mode: { type: 'flexible', flexible: { proration_discounts: 'included' } },
    canceled_at: null,
    completed_at: null,
    created: account.seconds(customer.test_clock),
    current_phase: null,
    customer: customer.id,
    default_settings: NO_SETTINGS,
    end_behavior: 'release',
    livemode: false,
    metadata: {},
    phases: [],
    released_at: null,
    released_subscription: null,
    status: 'not_started',
    subscription: null,
    test_clock: customer.test_clock,
    _pause: null,
    _expiring_sent: false,
  }
}

/** The timeline's handler: begins the schedule, the next phase, a pause, or the end, and plans what follows. */
export function scheduleDue(account: Account, id: string, atMs: number): void {
  const stored = account.objects.find<SubscriptionSchedule>('subscription_schedule', id)
  if (!stored || !isOpen(stored)) return
  const at = Math.floor(atMs / 1000)
  if (stored.status === 'not_started') {
    const begun = begin(account, stored, at)
    account.events.emitChange('subscription_schedule.updated', account.present(begun), account.present(stored))
  } else if (stored.current_phase !== null && stored.current_phase.end_date <= at) turn(account, stored, at)
  else if (pauseIsDue(stored, at)) pauseAsPlanned(account, stored)
  else if (resumeIsDue(stored, at)) resumeAsPlanned(account, stored)
  else if (expiringAt(stored) !== null && expiringAt(stored)! <= at) {
    const told = account.objects.save<SubscriptionSchedule>({ ...stored, _expiring_sent: true })
    account.events.emit('subscription_schedule.expiring', account.present(told))
  }
  planSchedule(account, id)
}

/** Plans the next thing a schedule has to do by itself. */
export function planSchedule(account: Account, id: string): SubscriptionSchedule {
  const stored = account.get<SubscriptionSchedule>('subscription_schedule', id)
  const instants: number[] = []
  if (stored.status === 'not_started') instants.push(stored.phases[0]!.start_date)
  if (stored.status === 'active') {
    if (stored.current_phase) instants.push(stored.current_phase.end_date)
    const notice = expiringAt(stored)
    if (notice !== null) instants.push(notice)
    if (stored._pause?.pause_status === 'scheduled') instants.push(stored._pause.pause_at)
    else if (stored._pause?.resume_status === 'scheduled' && stored._pause.resume_at !== null)
      instants.push(stored._pause.resume_at)
  }
  const at = instants.length === 0 ? null : Math.min(...instants) * 1000
  account.timeline.schedule('schedule', id, at, stored.test_clock)
  return stored
}

/** A week before its end; nothing for a schedule that began later than that. */
function expiringAt(stored: SubscriptionSchedule): number | null {
  const at = stored.phases.at(-1)!.end_date - EXPIRING_SECONDS
  return stored._expiring_sent || at < stored.created ? null : at
}

function begin(account: Account, stored: SubscriptionSchedule, now: number): SubscriptionSchedule {
  const phase = phaseAt(stored, now) ?? stored.phases[0]!
  const isLast = phase === stored.phases.at(-1)
  const made = createSubscription(account, {
    customer: account.get<Customer>('customer', stored.customer),
    items: phase.items.map((item) => newItemFrom(item)),
    backdateStart: stored.phases[0]!.start_date < now ? stored.phases[0]!.start_date : undefined,
    currency: phase.currency,
    ending: isLast && stored.end_behavior === 'cancel' ? { cancelAt: phase.end_date } : {},
    oneTimeItems: phase.add_invoice_items.map((one) => ({
      ...one,
      quantity: one.quantity ?? 1,
      discountable: undefined,
    })),
    trialEnd: phase.trial_end !== null && phase.trial_end > now ? phase.trial_end : undefined,
    prorationBehavior: phase.proration_behavior,
    startsAsDraft: true,
    fields: {
      ...fieldsOf(stored, phase, { metadata: {} }),
      billing_mode: stored.billing_mode,
      schedule: stored.id,
    },
  })
  return account.objects.save<SubscriptionSchedule>({
    ...stored,
    current_phase: { end_date: phase.end_date, start_date: phase.start_date },
    status: 'active',
    subscription: made.id,
  })
}

function newItemFrom({ quantity, metadata, price, billing_thresholds }: PhaseItem) {
  return { price, metadata, billing_thresholds, ...(quantity !== undefined && { quantity }), isPlanned: true }
}

/** A phase ends: the next begins, or the schedule is over. */
function turn(account: Account, stored: SubscriptionSchedule, at: number): void {
  const next = stored.phases.find((phase) => phase.start_date === stored.current_phase!.end_date)
  if (next) enterPhase(account, stored, next, at)
  else finish(account, stored, at)
}

function enterPhase(account: Account, stored: SubscriptionSchedule, phase: Phase, at: number): SubscriptionSchedule {
  const shownBefore = account.present(stored)
  const entered = account.objects.save<SubscriptionSchedule>({
    ...stored,
    current_phase: { end_date: phase.end_date, start_date: phase.start_date },
  })
  const subscription = discardPending(account, subscriptionOf(account, stored.subscription!))
  if (!isOver(subscription)) applyPhase(account, entered, phase, subscription, at, phase.proration_behavior)
  account.events.emitChange('subscription_schedule.updated', account.present(entered), shownBefore)
  return entered
}

/**
 * Makes the subscription what a phase says. Where a period ends at this very instant, one invoice bills what ends and what
 * begins; in mid period it is an update with the phase's proration behavior.
 */
function applyPhase(
  account: Account,
  schedule: SubscriptionSchedule,
  phase: Phase,
  before: Subscription,
  at: number,
  behavior: ProrationBehavior,
): void {
  const isLast = phase === schedule.phases.at(-1) || phase.end_date === schedule.phases.at(-1)!.end_date
  const cancelAt = isLast && schedule.end_behavior === 'cancel' ? phase.end_date : null
  const oneTimeItems = phase.add_invoice_items.map((one) => ({
    ...one,
    quantity: one.quantity ?? 1,
    discountable: undefined,
  }))
  const span = { start: phase.start_date, end: phase.end_date }
  const isAnchor = (phase.billing_cycle_anchor ?? schedule.default_settings.billing_cycle_anchor) === 'phase_start'
  const trialEnd = phase.trial_end !== null && phase.trial_end > at ? phase.trial_end : null
  const coincides = itemsOf(account, before.id).some((item) => item.current_period_end <= at)
  if (before.status === 'paused' || !coincides) {
    updateSubscription(account, before, {
      items: changesTo(account, before, phase.items),
      oneTimeItems,
      phase: span,
      resetsAnchor: isAnchor && phase.start_date === at && trialEnd === null,
      ...(trialEnd !== null && { trialEnd }),
      ending: { cancelAt: cancelAt === before.cancel_at ? undefined : cancelAt },
      prorationBehavior: behavior,
      fields: fieldsOf(schedule, phase, before),
    })
    return
  }
  account.aggregation.run()
  renew(account, before, at, (stored) => {
    const current = account.objects.save<Subscription>({
      ...stored,
      ...fieldsOf(schedule, phase, stored),
      ...(isAnchor && { billing_cycle_anchor: at }),
      ...(cancelAt !== null && { cancel_at: cancelAt, canceled_at: at }),
      ...(trialEnd !== null && {
        status: 'trialing' as const,
        trial_start: at,
        trial_end: trialEnd,
        billing_cycle_anchor: trialEnd,
      }),
    })
    changeItems(account, current, changesTo(account, current, phase.items), { at, behavior, resets: true })
    if (trialEnd !== null) freePeriods(account, current, at, trialEnd)
    if (oneTimeItems.length > 0)
      updateSubscription(account, subscriptionOf(account, stored.id), { oneTimeItems, phase: span, fields: {} })
  })
  planNext(account, before.id)
}

/** As `nextInvoice`, for a subscription whose next renewal may begin its schedule's next phase. To be rehearsed. */
export function nextScheduledInvoice(account: Account, stored: Subscription): Invoice | null {
  const schedule =
    stored.schedule === null ? undefined : account.get<SubscriptionSchedule>('subscription_schedule', stored.schedule)
  const at = Math.min(...itemsOf(account, stored.id).map((item) => item.current_period_end))
  const next = schedule?.phases.find((phase) => phase.start_date === schedule.current_phase?.end_date)
  if (!schedule || next?.start_date !== at) return nextInvoice(account, stored)
  enterPhase(account, schedule, next, at)
  const after = subscriptionOf(account, stored.id)
  if (after.latest_invoice === null || after.latest_invoice === stored.latest_invoice) return null
  return account.get<Invoice>('invoice', after.latest_invoice)
}

function freePeriods(account: Account, stored: Subscription, start: number, end: number): void {
  for (const item of itemsOf(account, stored.id))
    account.objects.save<SubscriptionItem>({ ...item, current_period_start: start, current_period_end: end })
}

/** After the last phase: the subscription goes on without the schedule, or has its end planned for this instant. */
function finish(account: Account, stored: SubscriptionSchedule, at: number): void {
  if (stored.end_behavior === 'release') {
    letGo(account, stored, at, account.readings.scheduleEndingInRelease)
    return
  }
  const done = account.objects.save<SubscriptionSchedule>({
    ...stored,
    completed_at: at,
    current_phase: null,
    status: 'completed',
  })
  account.timeline.schedule('schedule', stored.id, null)
  account.events.emit('subscription_schedule.completed', account.present(done))
}

function letGo(
  account: Account,
  stored: SubscriptionSchedule,
  at: number,
  as: 'released' | 'completed',
): SubscriptionSchedule {
  const free = account.objects.save<SubscriptionSchedule>({
    ...stored,
    ...(as === 'released'
      ? { released_at: at, released_subscription: stored.subscription, subscription: null }
      : { completed_at: at }),
    current_phase: null,
    status: as,
  })
  account.timeline.schedule('schedule', stored.id, null)
  if (stored.subscription !== null) {
    const subscription = subscriptionOf(account, stored.subscription)
    account.change<Subscription>(subscription, { schedule: null }, 'customer.subscription.updated')
  }
  account.events.emit(`subscription_schedule.${as}`, account.present(free))
  return free
}

/** Leaves the subscription as it is, without a schedule. @throws ApiError unless the schedule waits or runs */
export function releaseSchedule(
  account: Account,
  stored: SubscriptionSchedule,
  options: { keepsCancelDate: boolean },
): SubscriptionSchedule {
  checkOpen(stored, 'release')
  if (stored.subscription !== null && !options.keepsCancelDate && stored.end_behavior === 'cancel') {
    const subscription = subscriptionOf(account, stored.subscription)
    if (subscription.cancel_at !== null)
      updateSubscription(account, subscription, { ending: { cancelAt: null }, fields: {} })
  }
  return letGo(account, stored, account.seconds(stored.test_clock), 'released')
}

/** Ends the schedule and its subscription now. @throws ApiError unless the schedule waits or runs */
export function cancelSchedule(
  account: Account,
  stored: SubscriptionSchedule,
  options: { invoiceNow: boolean; prorate: boolean },
): SubscriptionSchedule {
  checkOpen(stored, 'cancel')
  const canceled = account.objects.save<SubscriptionSchedule>({
    ...stored,
    canceled_at: account.seconds(stored.test_clock),
    current_phase: null,
    status: 'canceled',
  })
  account.timeline.schedule('schedule', stored.id, null)
  if (stored.subscription !== null && !isOver(subscriptionOf(account, stored.subscription)))
    cancelNow(account, stored.subscription, options)
  account.events.emit('subscription_schedule.canceled', account.present(canceled))
  return canceled
}

function checkOpen(stored: SubscriptionSchedule, verb: string): void {
  if (isOpen(stored)) return
  throw new ApiError(400, {
    type: 'invalid_request_error',
    message: `You can't ${verb} a subscription schedule that is currently in the \`${stored.status}\` status. It must be in the \`not_started\` or \`active\` status.`,
  })
}

export interface ScheduleUpdate {
  defaults?: Partial<SubscriptionSchedule['default_settings']> | undefined
  endBehavior?: 'cancel' | 'release' | undefined
  metadata?: Metadata | null | undefined
  phases?: PhaseWish[] | undefined
  prorationBehavior?: ProrationBehavior | undefined
  pause?: PauseSchedule | null | undefined
}

/** Replaces the current and future phases; what that changes of the current one changes the subscription. @throws ApiError */
export function updateSchedule(
  account: Account,
  before: SubscriptionSchedule,
  update: ScheduleUpdate,
): SubscriptionSchedule {
  const notes = Object.keys(update).filter(
    (name) => name !== 'metadata' && update[name as keyof ScheduleUpdate] !== undefined,
  )
  if (!isOpen(before) && notes.length > 0) checkOpen(before, 'update')
  const shownBefore = account.present(before)
  const now = account.seconds(before.test_clock)
  const stored = account.objects.save<SubscriptionSchedule>({
    ...before,
    ...(update.defaults && { default_settings: { ...before.default_settings, ...update.defaults } }),
    ...(update.endBehavior && { end_behavior: update.endBehavior }),
    ...(update.pause !== undefined && { _pause: update.pause }),
    metadata: mergedMetadata(before.metadata, update.metadata),
    ...(update.phases && { phases: rephased(account, before, update.phases, now) }),
    _expiring_sent: update.phases ? false : before._expiring_sent,
  })
  if (stored.status === 'not_started' && stored.phases[0]!.start_date <= now) begin(account, stored, now)
  else if (stored.status === 'active' && (update.phases || update.endBehavior || update.defaults))
    followPhases(account, before, stored, now, update.prorationBehavior ?? 'create_prorations')
  const after = account.get<SubscriptionSchedule>('subscription_schedule', before.id)
  account.events.emitChange('subscription_schedule.updated', account.present(after), shownBefore)
  return planSchedule(account, before.id)
}

/** Past phases stay; the first of the others must begin where the current one did. */
function rephased(account: Account, before: SubscriptionSchedule, wishes: PhaseWish[], now: number): Phase[] {
  const currentStart = before.current_phase?.start_date
  const past = before.phases.filter((phase) => currentStart !== undefined && phase.end_date <= currentStart)
  const live = wishes.filter(
    (wish) => currentStart === undefined || typeof wish.end_date !== 'number' || wish.end_date > currentStart,
  )
  const [first] = live
  if (!first) throw refuse('Missing required param: phases.', { code: 'parameter_missing', param: 'phases' })
  if (first.start_date === undefined)
    throw refuse('Missing required param: phases[0][start_date].', {
      code: 'parameter_missing',
      param: 'phases[0][start_date]',
    })
  const start = first.start_date === 'now' ? now : first.start_date
  if (currentStart !== undefined && start !== currentStart) {
    throw refuse('You can not modify the start date of the current phase.', { param: 'phases[0][start_date]' })
  }
  const currency = before.phases[0]?.currency ?? null
  const phases = phasesFrom(account, live, { start, now, billingMode: before.billing_mode.type, currency })
  if (phases.at(-1)!.end_date <= now)
    throw refuse('The last phase of a subscription schedule must end in the future.', { param: 'phases' })
  return [...past, ...phases]
}

function followPhases(
  account: Account,
  before: SubscriptionSchedule,
  stored: SubscriptionSchedule,
  now: number,
  behavior: ProrationBehavior,
): void {
  const phase = phaseAt(stored, now)
  if (!phase) return
  if (before.current_phase?.start_date !== phase.start_date) {
    enterPhase(account, stored, phase, now)
    return
  }
  const current = account.objects.save<SubscriptionSchedule>({
    ...stored,
    current_phase: { end_date: phase.end_date, start_date: phase.start_date },
  })
  applyPhase(
    account,
    current,
    { ...phase, add_invoice_items: [] },
    subscriptionOf(account, stored.subscription!),
    now,
    behavior,
  )
}

const SPLITTING = new Set(['add_invoice_items', 'items', 'trial_end', 'trial_from_plan', 'trial_settings'])

/** A change made to the subscription itself cuts the current phase in two, so that the next phase is not lost. */
export function splitPhase(account: Account, subscription: Subscription, names: string[]): void {
  if (subscription.schedule === null || !names.some((name) => SPLITTING.has(name))) return
  const stored = account.get<SubscriptionSchedule>('subscription_schedule', subscription.schedule)
  const now = account.seconds(stored.test_clock)
  const current = phaseAt(stored, now)
  if (!isOpen(stored) || !current) return
  const rest: Phase = {
    ...current,
    add_invoice_items: [],
    items: phaseItemsOf(account, subscription),
    start_date: current.start_date === now ? current.start_date : now,
    trial_end: subscription.status === 'trialing' ? subscription.trial_end : null,
  }
  const cut = current.start_date === now ? [rest] : [{ ...current, end_date: now }, rest]
  account.change<SubscriptionSchedule>(
    stored,
    {
      phases: stored.phases.flatMap((phase) => (phase === current ? cut : [phase])),
      current_phase: { end_date: rest.end_date, start_date: rest.start_date },
    },
    'subscription_schedule.updated',
  )
  planSchedule(account, stored.id)
}

function pauseIsDue({ _pause: planned }: SubscriptionSchedule, at: number): boolean {
  return planned?.pause_status === 'scheduled' && planned.pause_at <= at
}

function resumeIsDue({ _pause: planned }: SubscriptionSchedule, at: number): boolean {
  return planned?.resume_status === 'scheduled' && planned.resume_at !== null && planned.resume_at <= at
}

/** A planned pause that the subscription does not allow is noted, not tried again. */
function pauseAsPlanned(account: Account, stored: SubscriptionSchedule): void {
  const planned = stored._pause!
  const error = attempt(account, () =>
    pause(account, subscriptionOf(account, stored.subscription!), planned.terms, { isPlanned: true }),
  )
  note(account, stored, {
    ...planned,
    pause_status: error === null ? 'succeeded' : 'error',
    ...(error !== null && { pause_error: error }),
  })
}

function resumeAsPlanned(account: Account, stored: SubscriptionSchedule): void {
  const planned = stored._pause!
  const error = attempt(account, () =>
    resume(account, subscriptionOf(account, stored.subscription!), planned.resume_terms),
  )
  const isBack = error === null && subscriptionOf(account, stored.subscription!).status !== 'paused'
  const resume_status = error !== null ? 'error' : isBack ? 'succeeded' : 'pending'
  note(account, stored, { ...planned, resume_status, ...(error !== null && { resume_error: error }) })
}

function attempt(account: Account, work: () => unknown): string | null {
  try {
    account.db.transaction(work)
    return null
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
}

function note(account: Account, stored: SubscriptionSchedule, planned: PauseSchedule): void {
  account.change<SubscriptionSchedule>(stored, { _pause: planned }, 'subscription_schedule.updated')
}

/** Does at once what of a planned pause is for now. */
export function actNow(account: Account, id: string): SubscriptionSchedule {
  const stored = account.get<SubscriptionSchedule>('subscription_schedule', id)
  const now = account.seconds(stored.test_clock)
  if (stored.status === 'active' && pauseIsDue(stored, now)) pauseAsPlanned(account, stored)
  const paused = account.get<SubscriptionSchedule>('subscription_schedule', id)
  if (paused.status === 'active' && resumeIsDue(paused, now)) resumeAsPlanned(account, paused)
  return planSchedule(account, id)
}
