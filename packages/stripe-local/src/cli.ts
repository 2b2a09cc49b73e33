#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander'
import about from '../package.json' with { type: 'json' }
import { addressIn } from './address.ts'
import { startStripeLocal } from './index.ts'
import { trigger, triggerable } from './trigger/trigger.ts'
import { API_VERSION } from './webhooks/events.ts'

const PORT = 12111
const FILE = 'stripe-local.sqlite'

const program = new Command('stripe-local')
  .description("Stripe's billing API on localhost, good enough for the official SDK.")
  .version(`${about.version}, answering as Stripe ${API_VERSION}`)
  .enablePositionalOptions()
  .option('--port <number>', 'port to listen on; another free one when it is taken', readPort, PORT)
  .option('--strict-port', 'stop when the port is taken')
  .option('--host <name>', 'address to listen on', '127.0.0.1')
  .option('--file <path>', 'SQLite file that keeps all state', FILE)
  .option('--memory', 'keep nothing: all state is gone at the end')
  .option('--secret-key <key>', 'the secret key to accept; by default one is made and kept in the file')
  .option('--live', 'be an account in live mode, with a live key')
  .option('--forward-to <url>', 'send all events there, signed with the webhook secret')
  .option('--forward-thin-to <url>', 'send all thin events there')
  .option('--rate-limits', "refuse requests beyond Stripe's rate limits")
  .option('--clock-customers <number>', 'customers a test clock may hold; Stripe allows 3', readCount)
  .option('--business-name <name>', 'how the hosted pages call your business', 'Test business')
  .option('--quiet', 'print no line for each failed webhook')
  .option('--json', 'print address, key and secrets as one line of JSON')
  .action(run)

program
  .command('trigger')
  .description('Make a running stripe-local do what leads to an event.')
  .argument('[event]', 'such as invoice.paid; without one, all that can be triggered are listed')
  .option('--file <path>', 'state file of the stripe-local that runs', FILE)
  .option('--url <url>', 'its address, if it keeps its state in memory')
  .option('--secret-key <key>', 'its secret key, with --url')
  .action(runTrigger)

interface Options {
  port: number
  strictPort?: true
  host: string
  file: string
  memory?: true
  secretKey?: string
  live?: true
  forwardTo?: string
  forwardThinTo?: string
  rateLimits?: true
  clockCustomers?: number
  businessName: string
  quiet?: true
  json?: true
}

async function run(options: Options): Promise<void> {
  const local = await startStripeLocal({
    file: options.memory ? ':memory:' : options.file,
    port: options.port,
    strictPort: options.strictPort === true,
    host: options.host,
    businessName: options.businessName,
    live: options.live === true,
    rateLimits: options.rateLimits === true,
    forwardTo: {
      ...(options.forwardTo !== undefined && { snapshot: options.forwardTo }),
      ...(options.forwardThinTo !== undefined && { thin: options.forwardThinTo }),
    },
    ...(options.clockCustomers !== undefined && { testClockCustomersMax: options.clockCustomers }),
    ...(options.secretKey !== undefined && { secretKey: options.secretKey }),
    ...(!options.quiet && { log: (line: string) => console.error(line) }),
  })
  console.log(options.json ? JSON.stringify(facts(local, options)) : banner(local, options))
  const stop = () => void local.close()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

type Local = Awaited<ReturnType<typeof startStripeLocal>>

function facts({ url, secretKey, webhookSecrets }: Local, { memory, file, forwardTo, forwardThinTo }: Options) {
  return {
    url,
    secretKey,
    webhookSecret: webhookSecrets.snapshot,
    thinWebhookSecret: webhookSecrets.thin,
    forwardTo: forwardTo ?? null,
    forwardThinTo: forwardThinTo ?? null,
    file: memory ? null : file,
  }
}

function banner({ url, host, port, secretKey, webhookSecrets }: Local, options: Options): string {
  const { memory, file, forwardTo, forwardThinTo } = options
  const lines = [
    `stripe-local listens on ${url} (state: ${memory ? 'in memory' : file})`,
    '',
    `  secret key       ${secretKey}`,
    `  webhook secret   ${webhookSecrets.snapshot}`,
    forwardTo === undefined
      ? '                   signs the events that --forward-to <url> sends'
      : `                   signs all events, which go to ${forwardTo}`,
    ...(forwardThinTo === undefined
      ? []
      : [
          `  thin secret      ${webhookSecrets.thin}`,
          `                   signs all thin events, which go to ${forwardThinTo}`,
        ]),
    '',
    `  Node             new Stripe('${secretKey}', { host: '${host}', port: ${port}, protocol: 'http' })`,
    `  curl             curl ${url}/v1/customers -u ${secretKey}:`,
    `  dashboard        ${url}/`,
    `  events           stripe-local trigger invoice.paid${triggerHint(options, url, secretKey)}`,
  ]
  return lines.join('\n')
}

function triggerHint({ memory, file }: Options, url: string, secretKey: string): string {
  if (memory) return ` --url ${url} --secret-key ${secretKey}`
  return file === FILE ? '' : ` --file ${file}`
}

async function runTrigger(
  event: string | undefined,
  options: { file: string; url?: string; secretKey?: string },
): Promise<void> {
  if (event === undefined) {
    console.log(triggerable.join('\n'))
    return
  }
  const { url, secretKey, file } = options
  if ((url === undefined) !== (secretKey === undefined)) {
    throw new Error(
      'stripe-local: --url and --secret-key go together; without both, the state file says where it runs.',
    )
  }
  const address = url !== undefined && secretKey !== undefined ? { url, secretKey } : addressIn(file)
  if (!address) {
    throw new Error(
      `stripe-local: there is no state file ${file}. Start stripe-local in this directory, or name its --file, or its --url and --secret-key.`,
    )
  }
  console.log(`${event} happened: ${await trigger(address, event)}`)
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535.')
  return port
}

function readCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('this is a whole number, such as 1000.')
  return Number(text)
}

try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
