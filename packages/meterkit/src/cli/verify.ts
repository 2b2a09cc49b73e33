import type { Command } from 'commander'
import type { SubscriptionCheck } from '../usage/verify.ts'
import { notWell } from './outcome.ts'
import { instant, json, plural, print, progress, quantity } from './output.ts'
import { customerNamed, uuidNamed, withTool } from './tool.ts'

interface VerifyOptions {
  customer?: string
  subscription?: string
  json: boolean
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('Recompute usage from its events, and compare it with the rollups and the reports. Changes nothing.')
    .option('--customer <customer>', 'one customer: its name, its id, cus_…, organization:… or user:…')
    .option('--subscription <id>', 'one subscription')
    .option('--json', 'print the result as JSON', false)
    .action((options: VerifyOptions) => withTool({ stripe: false }, (tool) => verify(tool, options)))
}

/** Printed as it goes, so that nothing is kept of what agrees. */
async function verify(tool: Parameters<Parameters<typeof withTool>[1]>[0], options: VerifyOptions): Promise<void> {
  const customerId = await customerNamed(tool, options.customer)
  const scope = {
    ...(customerId ? { customerId } : {}),
    ...(options.subscription ? { subscriptionId: uuidNamed('--subscription', options.subscription) } : {}),
  }
  let checked = 0
  let wrong = 0
  let waiting = 0
  let failed = 0
  if (options.json) print('{ "subscriptions": [')
  for await (const check of tool.meterkit.verify(scope)) {
    if (options.json) print(`${checked > 0 ? ',' : ''}${json(check)}`)
    else if (!check.agrees) print(describe(check))
    checked += 1
    if (!check.agrees) wrong += 1
    if (check.unreported.failed > 0) failed += 1
    else if (check.unreported.quantity !== '0') waiting += 1
    if (!options.json) progress(`${plural(checked, 'subscription')} compared …`)
  }
  progress('')
  if (options.json) print(`], "checked": ${checked}, "disagreeing": ${wrong}, "agrees": ${wrong === 0} }`)
  else
    print(
      checked === 0
        ? NOTHING[Object.keys(scope).length > 0 ? 'scoped' : 'all']
        : conclusion(checked, wrong, { waiting, failed }),
    )
  if (wrong > 0 || (checked === 0 && options.subscription)) notWell()
}

const NOTHING = { scoped: 'There is no such subscription.', all: 'There are no subscriptions yet.' }

function describe(check: SubscriptionCheck): string {
  const { customerName, subscriptionId, stripeSubscriptionId, disagreements, disagreementCount } = check
  const shown = disagreements.slice(0, 20)
  return [
    `✗ ${customerName}, subscription ${subscriptionId} (${stripeSubscriptionId}): ${plural(disagreementCount, 'disagreement')}`,
    ...shown.map(({ kind, meter, since, explanation }) =>
      ['   ', kind.padEnd(8), since ? `${instant(since)} ${meter}:` : '', explanation].filter(Boolean).join(' '),
    ),
    ...(disagreementCount > shown.length
      ? [`    … and ${quantity(disagreementCount - shown.length)} more (--json)`]
      : []),
    '',
  ].join('\n')
}

/** @param open  subscriptions with usage that is not with Stripe: because it waits, because its report failed */
function conclusion(checked: number, wrong: number, open: { waiting: number; failed: number }): string {
  const waits =
    open.waiting > 0
      ? ` ${plural(open.waiting, 'subscription')} with usage that Stripe does not have yet, which is no error.`
      : ''
  const failed =
    open.failed > 0
      ? `\n! ${plural(open.failed, 'subscription')} with usage whose report failed: meterkit events list --status failed shows why.`
      : ''
  if (wrong === 0) return `✓ ${plural(checked, 'subscription')}: events, rollups and reports agree.${waits}${failed}`
  return `✗ ${wrong} of ${plural(checked, 'subscription')} do not agree.${waits}${failed}`
}
