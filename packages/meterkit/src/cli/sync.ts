import type { Command } from 'commander'
import type { Backlog, SyncPlan, SyncResult } from '../reports/report.ts'
import { notWell } from './outcome.ts'
import { instant, json, plural, print, quantity, table } from './output.ts'
import { customerNamed, type Tool, withTool } from './tool.ts'

interface SyncOptions {
  customer?: string
  dryRun: boolean
  json: boolean
}

export function addSync(program: Command): void {
  program
    .command('sync')
    .description('Report to Stripe now what is not reported, what waits for its back-off included.')
    .option('--customer <customer>', 'one customer: its name, its id, cus_…, organization:… or user:…')
    .option('-n, --dry-run', 'tell what would be written and sent, change nothing', false)
    .option('--json', 'print the result as JSON', false)
    .action((options: SyncOptions) => withTool({ stripe: !options.dryRun }, (tool) => sync(tool, options)))
}

async function sync(tool: Tool, { customer, dryRun, json: asJson }: SyncOptions): Promise<void> {
  const customerId = await customerNamed(tool, customer)
  const scope = { urgent: true, ...(customerId ? { customerId } : {}) }
  if (dryRun) {
    const plan = await tool.meterkit.reports.sync({ ...scope, dryRun: true })
    print(asJson ? json(plan) : describePlan(plan))
    return
  }
  const result = await tool.meterkit.reports.sync(scope)
  print(asJson ? json(result) : describe(result, await tool.meterkit.reports.backlog()))
  if (result.failed + result.postponed > 0) notWell()
}

/** @param left  what is not with Stripe after it: kept back, recorded meanwhile, or failed before */
function describe(
  { created, accepted, failed, postponed, reason, milliseconds }: SyncResult,
  left: Pick<Backlog, 'due' | 'failed'>,
): string {
  if (created + accepted + failed + postponed === 0) {
    if (left.due > 0)
      return `Nothing could be reported. ${plural(left.due, 'hour')} of usage ${left.due === 1 ? 'is' : 'are'} kept back: Admin → Customers says of each subscription why.`
    if (left.failed > 0)
      return `Nothing was to be sent. ${plural(left.failed, 'failed report')} ${left.failed === 1 ? 'waits' : 'wait'} for you: meterkit events list --status failed shows why.`
    return '✓ Stripe is in step: there was nothing to report.'
  }
  const counts = `${created} written, ${accepted} accepted, ${failed} failed, ${postponed} postponed, ${quantity(milliseconds)} ms`
  const sign = failed + postponed > 0 ? '✗' : '✓'
  const refused = failed > 0 ? ['meterkit events list --status failed shows what Stripe says.'] : []
  return [`${sign} ${counts}`, ...(reason ? [`Postponed: ${reason}`] : []), ...refused].join('\n')
}

function describePlan(plan: SyncPlan): string {
  if (plan.writes + plan.sends === 0) return 'Nothing would be written or sent.'
  const right = { right: true }
  const columns = [
    'Hour',
    'Subscription',
    'Meter',
    { name: 'Value', ...right },
    { name: 'Events', ...right },
    'At Stripe',
    '',
  ]
  const rows = [
    ...plan.toWrite.map((report) => [...shown(report), report.unbillable ?? (report.late ? 'new, late' : 'new')]),
    ...plan.toSend.map((report) => [...shown(report), `${report.status}, ${plural(report.attempts, 'attempt')}`]),
  ]
  const listed = rows.length < plan.writes + plan.sends ? ` The first ${quantity(rows.length)} are listed.` : ''
  const end = `${plural(plan.writes, 'report')} would be written, ${quantity(plan.sends)} sent again, of ${plural(plan.customers, 'customer')}.${listed} Nothing was changed: this was a dry run.`
  return [table(columns, rows), '', end].join('\n')
}

function shown(report: {
  since: Date
  subscriptionId: string
  meter: string
  value: string
  events: number
  timestamp: Date
}): string[] {
  const { since, subscriptionId, meter, value, events, timestamp } = report
  return [instant(since), subscriptionId, meter, quantity(value), quantity(events), instant(timestamp)]
}
