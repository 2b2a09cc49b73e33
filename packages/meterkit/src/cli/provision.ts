import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { MeterkitError } from '../errors.ts'
import { type BillingConfig, catalogOf } from '../plans/config.ts'
import { provision } from '../plans/provision.ts'
import type { ProvisionResult, ProvisionStep } from '../plans/provision-result.ts'
import { json, print } from './output.ts'
import { readSettings, stripeClient } from './settings.ts'

export function addProvision(program: Command): void {
  program
    .command('provision')
    .description('Create or update at Stripe what billing.config.ts describes. A second run changes nothing.')
    .option('-c, --config <file>', 'the billing config', 'billing.config.ts')
    .option('-n, --dry-run', 'print the difference, change nothing', false)
    .option('-w, --webhook-url <url>', 'also provision the webhook endpoint and the event destination there')
    .option('--json', 'print the result as JSON', false)
    .action(async (options: { config: string; dryRun: boolean; webhookUrl?: string; json: boolean }) => {
      const catalog = catalogOf(await loadConfig(options.config))
      const result = await provision({ pool: null, stripe: stripeClient(readSettings()), catalog }, options)
      print(options.json ? json(result) : describe(result))
    })
}

async function loadConfig(file: string): Promise<BillingConfig> {
  const candidates = [file, path.join('apps', 'saas', file)].map((name) => path.resolve(name))
  const found = candidates.find((name) => existsSync(name))
  if (!found) {
    throw new MeterkitError('invalid_config', `there is no ${file} here. Name the config with --config <file>.`, {
      field: 'config',
      value: file,
    })
  }
  const loaded = (await import(pathToFileURL(found).href)) as { default?: BillingConfig }
  if (loaded.default?.meters && loaded.default.plans) return loaded.default
  throw new MeterkitError(
    'invalid_config',
    `${found} has no default export made by defineBilling({ meters, plans }).`,
    { field: 'config', value: found },
  )
}

const SIGNS: Record<ProvisionStep['action'], string> = { unchanged: ' ', create: '+', update: '~', replace: '±' }

function describe({ steps, changed, dryRun, webhookSecrets }: ProvisionResult): string {
  const lines = steps.map(({ object, name, action, detail, stripeId }) =>
    [SIGNS[action], object.padEnd(20), name, stripeId ? `(${stripeId})` : '', detail].filter(Boolean).join('  '),
  )
  const end = changed
    ? dryRun
      ? 'Nothing was changed: this was a dry run.'
      : 'Done.'
    : 'Nothing to change: Stripe matches the config.'
  const secrets = webhookSecrets.map((secret) => `Set STRIPE_WEBHOOK_SECRET (Stripe tells it only now): ${secret}`)
  return [...lines, '', end, ...secrets].join('\n')
}
