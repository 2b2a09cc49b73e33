import type { SQLInputValue } from 'node:sqlite'
import type { Database } from './database.ts'

/** What every stored object has. `object` is Stripe's name of its type; `created` is in Unix seconds. */
export interface Stored {
  id: string
  object: string
  created: number
}

/** JSON paths and the values they must have, e.g. `{ '$.customer': 'cus_1' }`; undefined asks for nothing. */
export type Where = { [path: string]: string | number | boolean | undefined }

export interface Page {
  where?: Where
  created?: { gt?: number; gte?: number; lt?: number; lte?: number }
  /** SQL beyond equality, with its values. The text comes from our code only, never from a request. */
  also?: { sql: string; values: SQLInputValue[] }
  limit: number
  startingAfter?: string
  endingBefore?: string
}

/** All API objects but meter events and events, newest first, as JSON in one table. */
export class Objects {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  insert<T extends Stored>(value: T): T {
    const { id, object, created } = value
    const sql = 'insert into objects (id, type, created, data) values (?, ?, ?, ?)'
    this.#db.run(sql, id, object, created, JSON.stringify(value))
    return value
  }

  save<T extends Stored>(value: T): T {
    this.#db.run('update objects set data = ? where id = ?', JSON.stringify(value), value.id)
    return value
  }

  remove(id: string): void {
    this.#db.run('delete from objects where id = ?', id)
  }

  find<T extends Stored>(type: T['object'], id: string): T | undefined {
    const row = this.#db.get<{ data: string }>('select data from objects where id = ? and type = ?', id, type)
    return row && (JSON.parse(row.data) as T)
  }

  /** The object of whatever type. */
  any(id: string): Stored | undefined {
    const row = this.#db.get<{ data: string }>('select data from objects where id = ?', id)
    return row && (JSON.parse(row.data) as Stored)
  }

  /** All that match, oldest first. */
  all<T extends Stored>(type: T['object'], where: Where = {}, also?: Page['also']): T[] {
    const condition = conditionFor(where)
    const sql = `select data from objects where type = ?${condition.sql}${also ? ` and ${also.sql}` : ''} order by seq`
    const rows = this.#db.all<{ data: string }>(sql, type, ...condition.values, ...(also?.values ?? []))
    return rows.map((row) => JSON.parse(row.data) as T)
  }

  /** One page, newest first. Null when the cursor names no object. */
  page<T extends Stored>(type: T['object'], page: Page): { data: T[]; hasMore: boolean } | null {
    const cursor = page.startingAfter ?? page.endingBefore
    const at =
      cursor === undefined
        ? undefined
        : this.#db.get<{ seq: number }>('select seq from objects where id = ? and type = ?', cursor, type)
    if (cursor !== undefined && !at) return null
    const backwards = page.endingBefore !== undefined
    const condition = conditionFor(page.where ?? {})
    const values: SQLInputValue[] = [type, ...condition.values]
    let sql = `select data from objects where type = ?${condition.sql}`
    for (const [bound, sign] of [
      ['gt', '>'],
      ['gte', '>='],
      ['lt', '<'],
      ['lte', '<='],
    ] as const) {
      const limit = page.created?.[bound]
      if (limit === undefined) continue
      sql += ` and created ${sign} ?`
      values.push(limit)
    }
    if (page.also) {
      sql += ` and ${page.also.sql}`
      values.push(...page.also.values)
    }
    if (at) {
      sql += backwards ? ' and seq > ?' : ' and seq < ?'
      values.push(at.seq)
    }
    sql += ` order by seq ${backwards ? 'asc' : 'desc'} limit ?`
    values.push(page.limit + 1)
    const rows = this.#db.all<{ data: string }>(sql, ...values)
    const hasMore = rows.length > page.limit
    const data = rows.slice(0, page.limit).map((row) => JSON.parse(row.data) as T)
    return { data: backwards ? data.reverse() : data, hasMore }
  }
}

function conditionFor(where: Where): { sql: string; values: SQLInputValue[] } {
  let sql = ''
  const values: SQLInputValue[] = []
  for (const [path, value] of Object.entries(where)) {
    if (value === undefined) continue
    sql += ` and json_extract(data, '${path}') = ?`
    values.push(typeof value === 'boolean' ? Number(value) : value)
  }
  return { sql, values }
}
