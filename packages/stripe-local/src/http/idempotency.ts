import { createHash } from 'node:crypto'
import type { Database } from '../database.ts'
import { ApiError } from './errors.ts'

const KEPT_MS = 24 * 60 * 60 * 1000

export interface KeptAnswer {
  status: number
  body: string
}

/** The first answer of each Idempotency-Key, kept for a day and replayed. */
export class IdempotencyKeys {
  readonly #db: Database
  readonly #running = new Set<string>()

  constructor(db: Database) {
    this.#db = db
  }

  /** @returns the kept answer @throws ApiError when the key names another request or one that still runs */
  begin(key: string, fingerprint: string, nowMs: number): KeptAnswer | null {
    if (key.length > 255) throw idempotencyError(400, 'Idempotency keys can have at most 255 characters.')
    if (this.#running.has(key)) {
      throw idempotencyError(
        409,
        'There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through). Please try again later.',
        'idempotency_key_in_use',
      )
    }
    const sql = 'select * from idempotency_keys where key = ? and created_ms > ?'
    const kept = this.#db.get<KeptAnswer & { fingerprint: string }>(sql, key, nowMs - KEPT_MS)
    if (kept && kept.fingerprint !== fingerprint) {
      throw idempotencyError(
        400,
        `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      )
    }
    if (!kept) this.#running.add(key)
    return kept ?? null
  }

  keep(key: string, fingerprint: string, answer: KeptAnswer, nowMs: number): void {
    this.#db.run(
      'insert or replace into idempotency_keys (key, fingerprint, status, body, created_ms) values (?, ?, ?, ?, ?)',
      key,
      fingerprint,
      answer.status,
      answer.body,
      nowMs,
    )
  }

  end(key: string): void {
    this.#running.delete(key)
  }
}

/** Removes answers that are no longer replayed. */
export function forgetOldKeys(db: Database, nowMs: number): void {
  db.run('delete from idempotency_keys where created_ms <= ?', nowMs - KEPT_MS)
}

export function fingerprintOf(method: string, path: string, body: string): string {
  return createHash('sha256').update(`${method} ${path}\n${body}`).digest('base64')
}

function idempotencyError(status: number, message: string, code?: string): ApiError {
  return new ApiError(status, { type: 'idempotency_error', message, ...(code && { code }) }, false)
}
