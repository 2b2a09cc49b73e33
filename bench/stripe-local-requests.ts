import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Row } from './world.ts'

const SECONDS = 10
const CLIENTS = 16
const CUSTOMERS = 500
/** What a second of processor time is in /proc. */
const TICKS_PER_SECOND = 100

/** How many requests the local Stripe answers on one core: a process of its own, on a file, asked as an app asks it. */
export async function stripeLocalRequests(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'stripe-local-bench-'))
  const server = await start(join(directory, 'state.sqlite'))
  try {
    await server.call(
      'POST',
      '/v1/billing/meters',
      'display_name=Tokens&event_name=tokens&default_aggregation[formula]=sum',
    )
    const customers: string[] = []
    for (let n = 0; n < CUSTOMERS; n++) {
      customers.push((await server.call('POST', '/v1/customers', `email=c${n}@example.com`)).id)
    }
    const untilMs = performance.now() + SECONDS * 1_000
    const cpuBefore = server.cpuSeconds()
    const began = performance.now()
    let answered = 0
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, client) => {
        for (let n = client; performance.now() < untilMs; n++, answered++) await ask(server, customers, n)
      }),
    )
    const seconds = (performance.now() - began) / 1_000
    const perCoreSecond = answered / (server.cpuSeconds() - cpuBefore)
    return [
      {
        what: `local Stripe: requests per second of one core (customers, meter events, lists; state in a file)`,
        promised: '≥ 1,000',
        measured: `${Math.round(perCoreSecond).toLocaleString('en-US')} (${Math.round(answered / seconds).toLocaleString('en-US')} a second by the clock, with ${CLIENTS} clients on the same machine)`,
        kept: perCoreSecond >= 1_000,
      },
    ]
  } finally {
    server.child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Of ten requests: five meter events, two customers read, one created, one page of customers, one of invoices. */
async function ask(server: Server, customers: string[], n: number): Promise<void> {
  const customer = customers[(n * 7) % customers.length]!
  switch (n % 10) {
    case 0:
      await server.call('POST', '/v1/customers', `email=n${n}@example.com&metadata[n]=${n}`)
      return
    case 1:
    case 2:
      await server.call('GET', `/v1/customers/${customer}`)
      return
    case 3:
      await server.call('GET', '/v1/customers?limit=10')
      return
    case 4:
      await server.call('GET', `/v1/invoices?customer=${customer}&limit=10`)
      return
    default:
      await server.call(
        'POST',
        '/v1/billing/meter_events',
        `event_name=tokens&payload[stripe_customer_id]=${customer}&payload[value]=1250`,
      )
  }
}

interface Server {
  child: ChildProcess
  cpuSeconds: () => number
  call: (method: string, path: string, body?: string) => Promise<{ id: string; object: string }>
}

async function start(file: string): Promise<Server> {
  const cli = join(import.meta.dirname, '../packages/stripe-local/src/cli.ts')
  const command = [process.execPath, cli, '--file', file, '--port', '0', '--json', '--quiet']
  // On a core of its own, and this process beside it, where the system can do that.
  const canPin = process.platform === 'linux' && availableParallelism() > 1
  const child = canPin
    ? spawn('taskset', ['-c', '0', ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
    : spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  if (canPin) spawn('taskset', ['-cp', '1', String(process.pid)], { stdio: 'ignore' })
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
  const { url, secretKey } = JSON.parse(line) as { url: string; secretKey: string }
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  return { child, cpuSeconds: () => cpuSecondsOf(child.pid!), call: caller(url, secretKey, agent) }
}

function caller(url: string, secretKey: string, agent: Agent): Server['call'] {
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${secretKey}`,
        ...(body !== undefined && {
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': Buffer.byteLength(body),
          'idempotency-key': crypto.randomUUID(), // the SDK sends one with each POST
        }),
      }
      const sent = request(url + path, { method, agent, headers }, async (response) => {
        const text = (await Array.fromAsync(response as AsyncIterable<Buffer>)).join('')
        if (response.statusCode === 200) resolve(JSON.parse(text))
        else reject(new Error(`${method} ${path} was answered ${response.statusCode}: ${text}`))
      })
      sent.on('error', reject)
      sent.end(body)
    })
}

/** User and system time of a process so far. */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}
