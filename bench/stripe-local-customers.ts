import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStripeLocal, type EmbeddedStripe } from 'stripe-local'
import { median, type Row } from './world.ts'

const CUSTOMERS = 100_000
const TIMES = 200
/** A walk through all of them and their JSON takes a hundred times as long. */
const MILLISECONDS_MAX = 5

/** What is asked of 100,000 customers. Nothing may cost a walk through all of them. */
export async function stripeLocalCustomers(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'stripe-local-bench-'))
  const local = createStripeLocal({ file: join(directory, 'state.sqlite') })
  try {
    const began = performance.now()
    const ids: string[] = []
    for (let n = 0; n < CUSTOMERS; n++)
      ids.push((await call(local, 'POST', '/v1/customers', `email=c${n}@example.com`)).id)
    const createdMs = (performance.now() - began) / CUSTOMERS
    const middle = ids[CUSTOMERS / 2]!
    const now = Math.floor(Date.now() / 1_000)
    const questions: [what: string, path: (n: number) => string][] = [
      ['retrieve', (n) => `/v1/customers/${ids[(n * 499) % CUSTOMERS]}`],
      ['first page', () => '/v1/customers?limit=10'],
      ['a page in the middle', () => `/v1/customers?limit=10&starting_after=${middle}`],
      ['a page backwards', () => `/v1/customers?limit=10&ending_before=${middle}`],
      ['by email', (n) => `/v1/customers?email=c${(n * 499) % CUSTOMERS}@example.com`],
      [
        'search by email',
        (n) => `/v1/customers/search?query=${encodeURIComponent(`email:"c${(n * 499) % CUSTOMERS}@example.com"`)}`,
      ],
      ['created before all of them', () => `/v1/customers?created[lt]=${now - 86_400}`],
      ['invoices of one', (n) => `/v1/invoices?customer=${ids[(n * 499) % CUSTOMERS]}`],
      ['subscriptions of one', (n) => `/v1/subscriptions?customer=${ids[(n * 499) % CUSTOMERS]}&status=all`],
    ]
    const rows: Row[] = [row('create', createdMs)]
    for (const [what, path] of questions) {
      const times: number[] = []
      for (let n = 0; n < TIMES; n++) {
        const asked = performance.now()
        await call(local, 'GET', path(n))
        times.push(performance.now() - asked)
      }
      rows.push(row(what, median(times)))
    }
    return rows
  } finally {
    await local.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

function row(what: string, milliseconds: number): Row {
  return {
    what: `local Stripe with ${CUSTOMERS.toLocaleString('en-US')} customers: ${what}`,
    promised: `≤ ${MILLISECONDS_MAX} ms`,
    measured: `${milliseconds.toFixed(2)} ms`,
    kept: milliseconds <= MILLISECONDS_MAX,
  }
}

/** One request in this process. */
export async function call(
  local: EmbeddedStripe,
  method: 'GET' | 'POST',
  path: string,
  body?: string,
): Promise<{ id: string; status: string; data: unknown[] }> {
  const response = await local.fetch(
    new Request(`http://stripe.local${path}`, {
      method,
      headers: {
        authorization: `Bearer ${local.secretKey}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      ...(body !== undefined && { body }),
    }),
  )
  if (response.status !== 200)
    throw new Error(`${method} ${path} was answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as { id: string; status: string; data: unknown[] }
}
