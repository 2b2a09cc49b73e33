import type { Pool, PoolClient } from 'pg'
import { v5 as uuidFrom } from 'uuid'
import { type Database, firstRow, rows, transaction } from '../database/database.ts'
import { announce } from '../directory.ts'
import type { Customer, CustomerInput, Source } from './customer.ts'

/** Namespace of our name-based ids; any fixed UUID serves. @see https://www.rfc-editor.org/rfc/rfc9562#section-5.5 */
const NAMESPACE = '6f1f2b51-7c0a-4a3e-9a52-0d6a0c3c2f77'

const COLUMNS = `id, source, source_id as "sourceId", name, email, stripe_id as "stripeId", created_at as "createdAt"`

export function customerId(source: Source, sourceId: string): string {
  return uuidFrom(`customer:${source}:${sourceId}`, NAMESPACE)
}

export function subscriptionId(stripeId: string): string {
  return uuidFrom(`subscription:${stripeId}`, NAMESPACE)
}

export async function ensureCustomer(pool: Pool, input: CustomerInput): Promise<Customer> {
  const id = customerId(input.source, input.sourceId)
  return transaction(pool, async (client) => {
    const customer = await firstRow<Customer>(
      client,
      /* sql */ `
      insert into billing.customers (id, source, source_id, name, email)
      values ($1, $2, $3, $4, $5)
      on conflict (id) do update set name = excluded.name, email = excluded.email
      returning ${COLUMNS}`,
      [id, input.source, input.sourceId, input.name, input.email],
    )
    await announce(client, id)
    return customer!
  })
}

export async function getCustomer(db: Database, id: string): Promise<Customer | null> {
  return firstRow<Customer>(db, `select ${COLUMNS} from billing.customers where id = $1`, [id])
}

export async function customerByStripeId(db: Database, stripeId: string): Promise<Customer | null> {
  return firstRow<Customer>(db, `select ${COLUMNS} from billing.customers where stripe_id = $1`, [stripeId])
}

/** Whatever the case; names need not be unique. */
export async function customersByName(db: Database, name: string): Promise<Customer[]> {
  return rows<Customer>(db, `select ${COLUMNS} from billing.customers where lower(name) = lower($1) limit 2`, [name])
}

export async function setStripeId(db: Database, id: string, stripeId: string): Promise<void> {
  await db.query('update billing.customers set stripe_id = $2 where id = $1', [id, stripeId])
}

/**
 * One writer per customer, until the transaction ends. Taken before the lock of the segments, by everyone: the other way
 * round two of them wait for each other.
 */
export async function lockCustomer(client: PoolClient, id: string): Promise<void> {
  await client.query('select 1 from billing.customers where id = $1 for update', [id])
}

/** Minor units, as Stripe last told: what is owed is positive. */
export async function balanceOf(db: Database, id: string): Promise<bigint> {
  const row = await firstRow<{ balance: string }>(db, 'select balance from billing.customers where id = $1', [id])
  return BigInt(row?.balance ?? 0)
}

export async function setBalance(db: Database, id: string, balance: number): Promise<void> {
  await db.query('update billing.customers set balance = $2 where id = $1', [id, balance])
}

/** Newest first. @param cursor  a customer id: those created before it */
export async function listCustomers(
  db: Database,
  { search, cursor, limit }: { search: string | null; cursor: string | null; limit: number },
): Promise<Customer[]> {
  return rows<Customer>(
    db,
    /* sql */ `
    select ${COLUMNS} from billing.customers
    where ($1::text is null or name ilike '%' || $1 || '%' or email ilike '%' || $1 || '%'
        or stripe_id = $1 or id::text = $1)
      and ($2::uuid is null or (created_at, id) < (select created_at, id from billing.customers where id = $2))
    order by created_at desc, id desc
    limit $3`,
    [search, cursor, limit],
  )
}
