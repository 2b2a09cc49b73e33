import type { Command } from 'commander'
import { earliestTaken } from '../reports/reconcile.ts'
import type { Difference, MendResult, Reconciliation } from '../reports/reconciliation.ts'
import type { SyncResult } from '../reports/report.ts'
import { notWell, UsageError } from './outcome.ts'
import { confirmed, instant, json, plural, print, progress, quantity, table } from './output.ts'
import { customerNamed, dateNamed, type Tool, withTool } from './tool.ts'

interface ReconcileOptions {
  since?: string
  until?: string
  customer?: string
  fix: boolean
  yes: boolean
  json: boolean
}

export function addReconcile(program: Command): void {
  program
    .command('reconcile')
    .description("Compare what Stripe has accepted with Stripe's own summaries, per customer, meter and UTC day.")
    .option('--since <day>', 'default: 35 days ago')
    .option('--until <day>', 'default: now')
    .option('--customer <customer>', 'one customer: its name, its id, cus_…, organization:… or user:…')
    .option('--fix', 'report the usage again that Stripe accepted and does not have', false)
    .option('-y, --yes', 'with --fix: do not ask', false)
    .option('--json', 'print the result as JSON', false)
    .action((options: ReconcileOptions) => withTool({ stripe: true }, (tool) => reconcile(tool, options)))
}

async function reconcile(tool: Tool, options: ReconcileOptions): Promise<void> {
  const [since, until] = [dateNamed('--since', options.since), dateNamed('--until', options.until)]
  const end = until ?? tool.now()
  const start = since ?? earliestTaken(tool.now())
  if (start >= end) {
    const [begins, ends] = [options.since ?? instant(start), options.until ?? instant(end)]
    throw new UsageError(`--since is ${begins}; it must be before ${ends}, where the comparison ends.`)
  }
  const customerId = await customerNamed(tool, options.customer)
  const reconciliation = await tool.meterkit.reports.reconcile({
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    ...(customerId ? { customerId } : {}),
    onProgress: ({ done, total, differences }) =>
      progress(`${quantity(done)} of ${quantity(total)} compared, ${plural(differences, 'difference')} …`),
  })
  progress('')
  if (!options.json) print(describe(reconciliation))
  const fixed = options.fix ? await fix(tool, reconciliation, options) : null
  if (options.json) print(json({ ...reconciliation, ...(fixed ?? {}) }))
  if (!isWell(reconciliation, fixed)) notWell()
}

type Fixed = MendResult & { sync: SyncResult | null }

/** Mends what can be, and sends the usage at once. */
async function fix(
  { meterkit }: Tool,
  { differences }: Reconciliation,
  { yes, json: quiet }: ReconcileOptions,
): Promise<Fixed | null> {
  const mendable = differences.filter((difference) => difference.mendable)
  const say = (line: string) => quiet || print(line)
  if (mendable.length === 0) {
    say('There is no missing usage to report.')
    return null
  }
  const reports = mendable.flatMap((difference) => difference.reports)
  const question = `Report the missing usage of ${plural(reports.length, 'report')} again, under new identifiers?`
  if (!(await confirmed(question, { yes }))) return null
  const result = await meterkit.reports.mend({ differences: mendable })
  const customers = new Set(mendable.map(({ customerId }) => customerId))
  let sync: SyncResult | null = null
  for (const customerId of customers) sync = added(sync, await meterkit.reports.sync({ customerId, urgent: true }))
  say(
    `${plural(result.mended.length, 'report')} taken back; ${sync!.created} written and ${sync!.accepted} accepted by Stripe.`,
  )
  for (const { identifier, reason } of result.left) say(`${identifier} was left: ${reason}.`)
  if (sync!.reason) say(`Postponed: ${sync!.reason}`)
  return { ...result, sync }
}

function added(a: SyncResult | null, b: SyncResult): SyncResult {
  if (!a) return b
  return {
    created: a.created + b.created,
    accepted: a.accepted + b.accepted,
    failed: a.failed + b.failed,
    postponed: a.postponed + b.postponed,
    reason: b.reason ?? a.reason,
    milliseconds: a.milliseconds + b.milliseconds,
  }
}

/** Everything agreed, or all that did not was missing and is with Stripe now. */
function isWell({ differences }: Reconciliation, fixed: Fixed | null): boolean {
  if (differences.length === 0) return true
  if (!fixed || differences.some(({ mendable }) => !mendable)) return false
  return fixed.left.length === 0 && fixed.sync!.failed + fixed.sync!.postponed === 0
}

function describe({ since, until, compared, calls, differences }: Reconciliation): string {
  const days = `${since.toISOString().slice(0, 10)} to ${new Date(until.getTime() - 1).toISOString().slice(0, 10)}`
  const what = `${plural(compared, 'customer meter')}, ${days} (UTC), ${plural(calls, 'call')} of Stripe`
  if (differences.length === 0) return `✓ Stripe has what it accepted: ${what}.`
  const right = { right: true }
  const rows = differences.map((each) => [
    each.day,
    each.customerName,
    each.meter,
    quantity(each.ours),
    each.stripe === null ? '?' : quantity(each.stripe),
    signed(each),
    each.cause,
  ])
  const columns = ['Day', 'Customer', 'Meter', { name: 'Ours', ...right }, { name: 'Stripe', ...right }]
  return [
    table([...columns, { name: 'Difference', ...right }, 'Cause'], rows),
    '',
    ...causes(differences),
    `✗ ${plural(differences.length, 'difference')}: ${what}.`,
  ].join('\n')
}

function signed({ quantity: value }: Difference): string {
  return value.startsWith('-') || value === '0' ? quantity(value) : `+${quantity(value)}`
}

/** Each explanation once, with the reports it is about. */
function causes(differences: readonly Difference[]): string[] {
  const groups = Map.groupBy(differences, ({ cause, explanation }) => `${cause}: ${explanation}`)
  return [...groups].flatMap(([explained, group]) => {
    const reports = group.flatMap((difference) => difference.reports)
    const named = reports.slice(0, 5).map(({ identifier, value }) => `${identifier} (${quantity(value)})`)
    const more = reports.length > named.length ? `, and ${reports.length - named.length} more` : ''
    return [explained, ...(named.length > 0 ? [`  ${named.join(', ')}${more}`] : []), '']
  })
}
