import type { Pool, PoolClient } from 'pg'
import { connect as connectTo, type Database } from './database/database.ts'
import type { Logger } from './logger.ts'

/**
 * Who may be billed, in memory: what lets `recordEvent` refuse an unknown customer or subscription without a query.
 * Filled at the start; other processes' additions arrive by NOTIFY, our own at once.
 */
export interface Directory {
  hasCustomer: (customerId: string) => boolean
  /** The customer a subscription belongs to. */
  ownerOf: (subscriptionId: string) => string | undefined
  add: (customerId: string, subscriptionId?: string) => void
  close: () => Promise<void>
}

const CHANNEL = 'meterkit_directory'
const RECONNECT_MS = 1_000

/** Inside the transaction that creates a customer or subscription: tells every process once it has committed. */
export async function announce(db: Database, customerId: string, subscriptionId?: string): Promise<void> {
  await db.query('select pg_notify($1, $2)', [CHANNEL, [customerId, subscriptionId ?? ''].join(' ')])
}

export async function openDirectory(pool: Pool, log: Logger): Promise<Directory> {
  const customers = new Set<string>()
  const owners = new Map<string, string>()
  let listener: PoolClient | null = null
  let reconnect: NodeJS.Timeout | null = null
  let closed = false

  function add(customerId: string, subscriptionId?: string): void {
    customers.add(customerId)
    if (subscriptionId) owners.set(subscriptionId, customerId)
  }

  /** Listens first and loads second, so that nothing falls between the two. */
  async function connect(): Promise<void> {
    const client = await connectTo(pool, lost)
    client.on('notification', ({ payload = '' }) => {
      const [customerId, subscriptionId] = payload.split(' ')
      if (customerId) add(customerId, subscriptionId || undefined)
    })
    try {
      await client.query(`listen ${CHANNEL}`)
      const customerRows = await client.query<{ id: string }>('select id from billing.customers')
      for (const { id } of customerRows.rows) add(id)
      const subscriptionRows = await client.query<{ id: string; customer_id: string }>(
        'select id, customer_id from billing.subscriptions',
      )
      for (const { id, customer_id } of subscriptionRows.rows) add(customer_id, id)
      listener = client
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  function lost(error: Error): void {
    if (closed || reconnect) return
    log.warn({ error: error.message }, 'lost the connection that announces new customers; connecting again')
    listener?.release(true)
    listener = null
    reconnect = setTimeout(() => {
      reconnect = null
      connect().catch(lost)
    }, RECONNECT_MS)
  }

  await connect()
  return {
    hasCustomer: (customerId) => customers.has(customerId),
    ownerOf: (subscriptionId) => owners.get(subscriptionId),
    add,
    close: async () => {
      closed = true
      if (reconnect) clearTimeout(reconnect)
      listener?.release(true)
      listener = null
    },
  }
}
