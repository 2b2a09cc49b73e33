import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Database } from './database.ts'

/** Where a running local Stripe answers, and to which key. */
export interface Address {
  url: string
  secretKey: string
}

/** Writes into the state file where its Stripe answers, so that others on the machine find it. */
export function rememberAddress(db: Database, { url }: Address): void {
  db.writeSetting('url', url)
}

/** The Stripe whose state file this is, as it was last started; null when there is no such file. */
export function addressIn(file: string): Address | null {
  if (!existsSync(file)) return null
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const settings = db.prepare(`select name, value from settings where name in ('url', 'secret_key')`).all()
    const found = new Map(settings.map(({ name, value }) => [name, String(value)]))
    const [url, secretKey] = [found.get('url'), found.get('secret_key')]
    return url === undefined || secretKey === undefined ? null : { url, secretKey }
  } finally {
    db.close()
  }
}
