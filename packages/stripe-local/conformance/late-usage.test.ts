import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'
import { tokens } from './tokens.ts'

conformance(
  'usage of the period that is reported while its invoice is a draft is on that invoice',
  'docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period: "During the configured finalization grace period, you can continue to report usage for the previous billing period. When the invoice finalizes, Stripe updates it to reflect the latest quantity for its billing period."',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('10000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T08:10:00Z')
    await use('5500', '2026-02-10T07:59:00Z') // 15,500 in all: 16 packages
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.deepEqual([paid!.total, paid!.lines.data[0]!.quantity], [80, 15_500])
  },
)

conformance(
  'usage that is reported after the invoice is final is never billed',
  'docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period: "Usage reported after the invoice finalizes aren\'t captured in future invoices."',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('10000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    await use('5000', '2026-02-10T07:59:00Z')
    await clock.advance('2026-03-10T10:30:00Z')
    const [second, first] = await invoices()
    assert.deepEqual([first!.total, second!.total], [50, 0])
  },
)

conformance(
  'usage after the period belongs to the next invoice, though the last one is still a draft',
  'docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period: "If the usage timestamp is for any time after the creation time of the draft invoice, we append the usage to the next invoice."',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('10000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T08:10:00Z')
    await use('7000', '2026-02-10T08:05:00Z')
    await clock.advance('2026-03-10T10:30:00Z')
    const [second, first] = await invoices()
    assert.deepEqual([first!.total, second!.total], [50, 35])
  },
)

conformance(
  'a negative total of a period bills nothing',
  'docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api: "If the overall cycle usage is negative, Stripe reports the invoice line item usage quantity as 0"',
  async (subject) => {
    const { clock, use, invoices } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('-500', '2026-01-10T08:00:00Z')
    await clock.advance('2026-02-10T10:30:00Z')
    const [paid] = await invoices()
    assert.deepEqual([paid!.total, paid!.lines.data[0]!.quantity], [0, 0])
  },
)
