import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { Stripe } from 'stripe'
import { MeterkitError } from './errors.ts'
import { type BillingConfig, catalogOf } from './plans/config.ts'
import { provision } from './plans/provision.ts'
import type { ProvisionResult, ProvisionStep } from './plans/provision-result.ts'

const program = new Command('meterkit').description('Usage-based billing on Stripe: the tools beside the library.')

program
  .command('provision')
  .description('Create or update at Stripe what billing.config.ts describes. A second run changes nothing.')
  .option('-c, --config <file>', 'the billing config', 'billing.config.ts')
  .option('-n, --dry-run', 'print the difference, change nothing', false)
  .option('-w, --webhook-url <url>', 'also provision the webhook endpoint and the event destination there')
  .option('--json', 'print the result as JSON', false)
  .addHelpText(
    'after',
    `
Environment (also read from .env):
  STRIPE_SECRET            the secret key; a live one only with STRIPE_PRODUCTION_MODE=true
  STRIPE_URL               another Stripe than api.stripe.com, e.g. http://127.0.0.1:12111 for the local one`,
  )
  .action(async (options: { config: string; dryRun: boolean; webhookUrl?: string; json: boolean }) => {
    const catalog = catalogOf(await loadConfig(options.config))
    const result = await provision({ pool: null, stripe: stripeFromEnvironment(), catalog }, options)
    console.log(options.json ? JSON.stringify(result, null, 2) : describe(result))
  })

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

function stripeFromEnvironment(): Stripe {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const { STRIPE_SECRET: secret, STRIPE_URL: url, STRIPE_PRODUCTION_MODE: production } = process.env
  if (!secret)
    throw new MeterkitError(
      'invalid_config',
      'STRIPE_SECRET is not set. Take the secret key from https://dashboard.stripe.com/apikeys.',
      { field: 'STRIPE_SECRET' },
    )
  const live = /^[rs]k_live_/.test(secret)
  if (live !== (production === 'true')) {
    const sentence = live
      ? 'STRIPE_SECRET is a live key, but STRIPE_PRODUCTION_MODE is not true. Set it to provision the live account.'
      : 'STRIPE_PRODUCTION_MODE is true, but STRIPE_SECRET is a test key. Give it the live key, or remove STRIPE_PRODUCTION_MODE.'
    throw new MeterkitError('mode_mismatch', sentence, { field: 'STRIPE_PRODUCTION_MODE', value: production })
  }
  if (!url) return new Stripe(secret)
  const { hostname, port, protocol } = new URL(url)
  return new Stripe(secret, {
    host: hostname,
    port: port || (protocol === 'https:' ? 443 : 80),
    protocol: protocol === 'https:' ? 'https' : 'http',
  })
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

try {
  await program.parseAsync()
} catch (error) {
  console.error(`meterkit: ${(error as Error).message}`)
  process.exitCode = 1
}
