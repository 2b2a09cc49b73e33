#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander'
import { startStripeLocal } from './index.ts'

const PORT = 12111

const program = new Command('stripe-local')
  .description("Stripe's billing API on localhost, good enough for the official SDK.")
  .option('--port <number>', 'port to listen on; another free one when it is taken', readPort, PORT)
  .option('--strict-port', 'stop when the port is taken')
  .option('--host <name>', 'address to listen on', '127.0.0.1')
  .option('--file <path>', 'SQLite file that keeps all state', 'stripe-local.sqlite')
  .option('--memory', 'keep nothing: all state is gone at the end')
  .option('--secret-key <key>', 'the secret key to accept; by default one is made and kept in the file')
  .option('--business-name <name>', 'how the hosted pages call your business', 'Test business')
  .option('--quiet', 'print no line for each failed webhook')
  .action(run)

interface Options {
  port: number
  strictPort?: true
  host: string
  file: string
  memory?: true
  secretKey?: string
  businessName: string
  quiet?: true
}

async function run(options: Options): Promise<void> {
  const local = await startStripeLocal({
    file: options.memory ? ':memory:' : options.file,
    port: options.port,
    strictPort: options.strictPort === true,
    host: options.host,
    businessName: options.businessName,
    ...(options.secretKey !== undefined && { secretKey: options.secretKey }),
    ...(!options.quiet && { log: (line: string) => console.error(line) }),
  })
  console.log(`stripe-local listens on ${local.url} (state: ${options.memory ? 'in memory' : options.file})`)
  console.log('')
  console.log(`  secret key   ${local.secretKey}`)
  console.log(
    `  Node         new Stripe('${local.secretKey}', { host: '${local.host}', port: ${local.port}, protocol: 'http' })`,
  )
  console.log(`  curl         curl ${local.url}/v1/customers -u ${local.secretKey}:`)
  console.log(`  webhooks     curl ${local.url}/v1/webhook_endpoints -u ${local.secretKey}: \\`)
  console.log(`                 -d url=http://localhost:4000/webhooks/stripe -d 'enabled_events[]=*'`)
  console.log('               The answer carries the signing secret (whsec_…), once.')
  const stop = () => void local.close()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535.')
  return port
}

try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
