/**
 * Where Stripe's documentation is silent or contradicts itself, the local Stripe picks one reading. Each stands here
 * with its default and is asked for at the one place that needs it, so that a test can try the other one:
 * `startStripeLocal({ readings: { zeroUsageLine: 'suppressed' } })`.
 */
export interface Readings {
  /**
   * A line's fraction of a minor unit below one half: one page says lines are "rounded to the nearest whole cent", a
   * newer one that each "is rounded up before summing up".
   */
  lineRounding: 'nearest' | 'up'
  /** How a line writes the size of a package: `per 1000 units` or `per 1,000 units`. */
  packageDivisor: 'plain' | 'grouped'
  /**
   * Whether the first portal configuration becomes the account's default. On the real Stripe the default is made by
   * saving the portal's settings in the Dashboard, which has no counterpart in the API.
   */
  firstPortalConfigurationIsDefault: boolean
  /** What event summaries without grouping give for a range without usage: one row with 0, or none. */
  emptySummary: 'zero' | 'none'
  /** Whether the event_name of an inactive meter may be given to another; an integrator says that only active ones clash. */
  inactiveMeterEventName: 'taken' | 'free'
  /** Which time the window of 35 days and 5 minutes counts from for customers of a test clock. */
  meterEventClock: 'frozen' | 'real'
  /** Within what the identifier of a meter event is unique; the refusal names no meter and no customer. */
  meterEventIdentifierScope: 'account' | 'meter' | 'customer'
  /** Whether the value of a meter event may have an exponent or a leading plus. */
  meterEventNotation: 'plain' | 'scientific'
  /** Whether search finds what hangs on a test clock; lists leave it out. */
  searchFindsClockObjects: boolean
  /**
   * A meter event whose event_name no active meter has: refused at once, as three projects saw, or accepted and reported
   * by `v1.billing.meter.no_meter_found`, as the documentation says.
   */
  unknownEventName: 'refused' | 'reported'
  /**
   * What a schedule with `end_behavior=release` becomes after its last phase. The guide says that it "releases the
   * subscription from the schedule", and elsewhere that it is completed.
   */
  scheduleEndingInRelease: 'released' | 'completed'
  /**
   * Which usage a switch of prices leaves to the old price: what has an earlier timestamp ("usage from … to …"), or what
   * arrived before ("the price in effect when the usage was reported").
   */
  switchSplitsUsageBy: 'timestamp' | 'arrival'
  /** Whether the new price's tiers and packages begin anew at a switch, or go on from the usage before it. */
  switchTiers: 'afresh' | 'continued'
  /**
   * Whether the invoice at a trial's end prints the free usage of a metered item (`Free trial for 12345 x …`, 0.00). The
   * format is documented for metered items, too; when such a line appears is not.
   */
  trialUsageLine: 'printed' | 'suppressed'
  /** Whether a renewal prints a metered line for a period without usage (flexible billing mode). */
  zeroUsageLine: 'printed' | 'suppressed'
  /** What Checkout calls the payment of a session whose prices are all metered. */
  meteredCheckoutPaymentStatus: 'no_payment_required' | 'paid'
  /**
   * Whether customers may switch between prices whose tax behavior is not specified. Stripe's page on the portal says
   * "no modifications are allowed if the tax behavior is unspecified", yet prices are so by default and are switched.
   */
  portalSwitchesUnspecifiedTax: boolean
  /**
   * Whether customers may switch metered subscriptions in the portal: docs.stripe.com/customer-management says they "can
   * only cancel them in the portal"; the redesigned portal of 2026 may have lifted that.
   */
  portalUpdatesMetered: boolean
}

export const DEFAULT_READINGS: Readings = {
  lineRounding: 'nearest',
  packageDivisor: 'plain',
  firstPortalConfigurationIsDefault: true,
  emptySummary: 'zero',
  inactiveMeterEventName: 'taken',
  meterEventClock: 'frozen',
  meterEventIdentifierScope: 'account',
  meterEventNotation: 'plain',
  searchFindsClockObjects: true,
  unknownEventName: 'refused',
  scheduleEndingInRelease: 'released',
  switchSplitsUsageBy: 'timestamp',
  switchTiers: 'afresh',
  trialUsageLine: 'suppressed',
  zeroUsageLine: 'printed',
  meteredCheckoutPaymentStatus: 'no_payment_required',
  portalSwitchesUnspecifiedTax: true,
  portalUpdatesMetered: false,
}
