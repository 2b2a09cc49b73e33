import type { SQLInputValue } from 'node:sqlite'
import type { Database, WriteBehind } from './database.ts'

/** What every stored object has. `object` is Stripe's name of its type; `created` is in Unix seconds. */
export interface Stored {
  id: string
  object: string
  created: number
}

/**
 * JSON paths and the values they must have, e.g. `{ '$.customer': 'cus_1' }`; null asks for null or absence, undefined for
 * nothing.
 */
export type Where = { [path: string]: string | number | boolean | null | undefined }

export interface Page {
  where?: Where
  created?: { gt?: number; gte?: number; lt?: number; lte?: number }
  /** SQL beyond equality, with its values. The text comes from our code only, never from a request. */
  also?: { sql: string; values: SQLInputValue[] }
  limit: number
  startingAfter?: string
  endingBefore?: string
}

/** The paths that have a column of their own, and an index; those that tell most apart come first. */
const COLUMNS: { [path: string]: string } = {
  '$.customer': 'customer',
  '$.subscription': 'subscription',
  '$.invoice': 'invoice',
  '$.parent.subscription_details.subscription': 'parent',
  '$.payment_intent': 'payment_intent',
  '$.email': 'email',
  '$.test_clock': 'clock',
  '$.status': 'status',
}
const COLUMN_PATHS = Object.keys(COLUMNS)
const COLUMN_STEPS = COLUMN_PATHS.map(stepsOf)
const COLUMN_NAMES = Object.values(COLUMNS)

/** An object as it is in memory. `written`: the value the table holds; null when it holds none yet. */
interface Entry {
  value: Stored
  seq: number
  written: Stored | null
  /** The JSON of what of the value goes over the wire, if it is known and not yet written. */
  text?: string | undefined
  /** What the table's columns hold, once it was written from here. */
  columns?: SQLInputValue[] | undefined
}
type ObjectRow = { seq: number; data: string }
type Fields = { [name: string]: unknown }

/** Two generations of so many entries each are kept in memory: ten thousand subscriptions with all that is theirs. */
const KEPT_MAX = 60_000
/** Once made, these are hardly read again: they are not to drive out what is. */
const SELDOM_READ = new Set(['charge', 'invoice_payment', 'payment_intent'])
/** Answers to `all` are remembered if they are short, in two generations of so many. */
const SHORT = 200
const ANSWERS_MAX = 50_000

/** In tests what is shared is frozen, so that a change in place fails where it is made. */
const FREEZES = process.env.NODE_TEST_CONTEXT !== undefined

/**
 * All API objects but meter events and events, newest first, as JSON in one table.
 *
 * What is read is shared, never a copy: change an object by saving another. Within a transaction a save reaches the table
 * once, at the end or when its type is asked for by SQL; a preview, which is undone, mostly never gets there.
 */
export class Objects implements WriteBehind {
  readonly #db: Database
  #recent = new Map<string, Entry>()
  #older = new Map<string, Entry>()
  readonly #unsaved = new Map<string, Map<string, Entry>>()
  #unsavedCount = 0
  /** Per open transaction: what was in memory before its changes; null stands for nothing. */
  readonly #undo: Map<string, Entry | null>[] = []
  readonly #answers: Answers
  readonly #changes = new Map<string, number>()
  #nextSeq: number

  constructor(db: Database) {
    this.#db = db
    this.#answers = new Answers()
    this.#nextSeq = db.get<{ next: number }>('select coalesce(max(seq), 0) + 1 as next from objects')!.next
    db.writesBehind(this)
  }

  insert<T extends Stored>(value: T): T {
    this.#change(value.id, undefined, { value: shared(value), seq: this.#nextSeq++, written: null })
    return value
  }

  /** Replaces the object of that id; without one it does nothing. */
  save<T extends Stored>(value: T): T {
    const before = this.#entry(value.id)
    if (before) {
      this.#change(value.id, before, {
        value: shared(value),
        seq: before.seq,
        written: before.written,
        columns: before.columns,
      })
    }
    return value
  }

  /** An object that is about to be written has this JSON, but for its keys that begin with an underscore. */
  hasText(value: Stored, text: string): void {
    const entry = this.#unsaved.get(value.object)?.get(value.id)
    if (entry?.value === value && text.startsWith('{"id":"')) entry.text = text
  }

  remove(id: string): void {
    const before = this.#entry(id)
    if (!before) return
    this.flush()
    this.#remember(id, before)
    this.#forget(id)
    this.#hasChanged(before.value, null)
    this.#db.willWrite()
    this.#db.statement('delete from objects where seq = ?').run(before.seq)
  }

  find<T extends Stored>(type: T['object'], id: string): T | undefined {
    const value = this.#entry(id)?.value
    return value?.object === type ? (value as T) : undefined
  }

  /** The object of whatever type. */
  any(id: string): Stored | undefined {
    return this.#entry(id)?.value
  }

  /** All that match, oldest first. */
  all<T extends Stored>(type: T['object'], where: Where = {}, also?: Page['also']): T[] {
    const condition = conditionFor(where)
    if (also || condition.paths.length === 0)
      return this.#select<T>(type, condition, also).map((row) => this.#read<T>(row))
    const question = questionOf(type, condition.paths, condition.asked)
    const known = this.#answers.get(question)
    if (known) return known.map((id) => this.#entry(id)!.value as T)
    const found = this.#select<T>(type, condition).map((row) => this.#read<T>(row))
    if (found.length <= SHORT) {
      this.#answers.keep(
        type,
        condition.paths,
        question,
        found.map(({ id }) => id),
      )
    }
    return found
  }

  /** A number that grows whenever an object of this type comes, changes or goes. */
  changes(type: string): number {
    return this.#changes.get(type) ?? 0
  }

  /** How many match. */
  count(type: string, where: Where = {}): number {
    const condition = conditionFor(where)
    this.#flushType(type)
    const sql = `select count(*) as count from objects where type = ?${condition.sql}`
    return (this.#db.statement(sql).get(type, ...condition.values) as { count: number }).count
  }

  /** One page, newest first. Null when the cursor names no object. */
  page<T extends Stored>(type: T['object'], page: Page): { data: T[]; hasMore: boolean } | null {
    const cursor = page.startingAfter ?? page.endingBefore
    const at = cursor === undefined ? undefined : this.#entry(cursor)
    if (cursor !== undefined && at?.value.object !== type) return null
    const backwards = page.endingBefore !== undefined
    const condition = conditionFor(page.where ?? {})
    const values: SQLInputValue[] = [type, ...condition.values]
    let sql = `select seq, data from objects where type = ?${condition.sql}`
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
    this.#flushType(type)
    const rows = this.#db.statement(sql).all(...values) as unknown as ObjectRow[]
    const hasMore = rows.length > page.limit
    const data = rows.slice(0, page.limit).map((row) => this.#read<T>(row))
    return { data: backwards ? data.reverse() : data, hasMore }
  }

  flush(): void {
    if (this.#unsavedCount === 0) return
    for (const type of this.#unsaved.keys()) this.#flushType(type)
  }

  began(): void {
    // Nothing is unsaved between transactions.
    if (this.#undo.length === 0 && this.#recent.size >= KEPT_MAX) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#undo.push(new Map())
  }

  committed(): void {
    const done = this.#undo.pop()
    const outer = this.#undo.at(-1)
    if (!done) return
    if (!outer) {
      for (const [id, before] of done) {
        const made = before === null ? this.#recent.get(id) : undefined
        if (made && SELDOM_READ.has(made.value.object)) this.#recent.delete(id)
      }
      return
    }
    for (const [id, entry] of done) if (!outer.has(id)) outer.set(id, entry)
  }

  rolledBack(): void {
    this.#unsaved.clear()
    this.#unsavedCount = 0
    for (const [id, before] of this.#undo.pop() ?? []) {
      this.#answers.undone(this.#kept(id)?.value, before?.value)
      const type = (before ?? this.#kept(id))?.value.object
      if (type) this.#changes.set(type, this.changes(type) + 1)
      if (before) this.#recent.set(id, before)
      else this.#forget(id)
    }
  }

  #change(id: string, before: Entry | undefined, after: Entry): void {
    this.#remember(id, before)
    this.#hasChanged(before?.value ?? null, after.value)
    this.#recent.set(id, after)
    if (!this.#db.isInTransaction) {
      this.#write(after)
      return
    }
    const { object: type } = after.value
    let unsaved = this.#unsaved.get(type)
    if (!unsaved) {
      unsaved = new Map()
      this.#unsaved.set(type, unsaved)
    }
    if (!unsaved.has(id)) this.#unsavedCount += 1
    unsaved.set(id, after)
  }

  #hasChanged(before: Stored | null, after: Stored | null): void {
    const { object: type } = (after ?? before)!
    this.#changes.set(type, this.changes(type) + 1)
    this.#answers.changed(before, after)
  }

  #remember(id: string, before: Entry | undefined): void {
    const undo = this.#undo.at(-1)
    // Its value in the table then is its value in the table after a rollback.
    if (undo && !undo.has(id)) undo.set(id, before ? { ...before } : null)
  }

  #entry(id: string): Entry | undefined {
    const kept = this.#kept(id)
    if (kept) return kept
    const row = this.#db.statement('select seq, data from objects where id = ?').get(id) as ObjectRow | undefined
    return row && this.#load(id, row)
  }

  #kept(id: string): Entry | undefined {
    const recent = this.#recent.get(id)
    if (recent) return recent
    const older = this.#older.get(id)
    if (older) this.#recent.set(id, older)
    return older
  }

  #forget(id: string): void {
    this.#recent.delete(id)
    this.#older.delete(id)
  }

  #load(id: string, { seq, data }: ObjectRow): Entry {
    const value = shared(JSON.parse(data) as Stored)
    const entry: Entry = { value, seq, written: value }
    this.#recent.set(id, entry)
    return entry
  }

  /** The row's object: the one in memory if there is one. */
  #read<T extends Stored>(row: ObjectRow): T {
    // Every object's JSON begins with its id.
    const id = row.data.slice(7, row.data.indexOf('"', 7))
    return (this.#kept(id) ?? this.#load(id, row)).value as T
  }

  #select<T extends Stored>(type: T['object'], condition: Condition, also?: Page['also']): ObjectRow[] {
    this.#flushType(type)
    const sql = `select seq, data from objects where type = ?${condition.sql}${also ? ` and ${also.sql}` : ''} order by seq`
    const values = [type, ...condition.values, ...(also?.values ?? [])]
    return this.#db.statement(sql).all(...values) as unknown as ObjectRow[]
  }

  #flushType(type: string): void {
    const unsaved = this.#unsaved.get(type)
    if (!unsaved || unsaved.size === 0) return
    for (const entry of unsaved.values()) this.#write(entry)
    this.#unsavedCount -= unsaved.size
    unsaved.clear()
  }

  #write(entry: Entry): void {
    const { value, seq, written } = entry
    if (written === value) return
    this.#db.willWrite()
    const data = entry.text === undefined ? jsonOf(value) : withInternals(entry.text, value)
    const columns = columnsOf(value)
    if (written === null) {
      this.#db.statement(INSERT).run(seq, value.id, value.object, value.created, data, ...columns)
    } else {
      const before = entry.columns ?? columnsOf(written)
      if (columns.every((column, i) => column === before[i])) this.#db.statement(UPDATE_DATA).run(data, seq)
      else this.#db.statement(UPDATE).run(data, ...columns, seq)
    }
    entry.text = undefined
    entry.written = value
    entry.columns = columns
  }
}

const INSERT = `insert into objects (seq, id, type, created, data, ${COLUMN_NAMES.join(', ')})
                values (?, ?, ?, ?, ?, ${COLUMN_NAMES.map(() => '?').join(', ')})`
const UPDATE_DATA = 'update objects set data = ? where seq = ?'
const UPDATE = `update objects set data = ?, ${COLUMN_NAMES.map((name) => `${name} = ?`).join(', ')} where seq = ?`

/** The ids that answered `all` before, kept true while objects come, change and go. */
class Answers {
  #recent = new Map<string, string[]>()
  #older = new Map<string, string[]>()
  /** Which sets of paths were asked for, by type. */
  readonly #asked = new Map<string, { paths: string[]; steps: string[][] }[]>()

  get(question: string): string[] | undefined {
    const recent = this.#recent.get(question)
    if (recent) return recent
    const older = this.#older.get(question)
    if (older) this.#remember(question, older)
    return older
  }

  keep(type: string, paths: string[], question: string, ids: string[]): void {
    this.#remember(question, ids)
    const asked = this.#asked.get(type) ?? []
    if (asked.some((known) => known.paths.join() === paths.join())) return
    this.#asked.set(type, [...asked, { paths, steps: paths.map(stepsOf) }])
  }

  /** A new object (`before` null) comes last; for any other change the question is asked again. */
  changed(before: Stored | null, after: Stored | null): void {
    const { object: type } = (after ?? before)!
    for (const { paths, steps } of this.#asked.get(type) ?? []) {
      if (before && after && steps.every((one) => valueAt(before, one) === valueAt(after, one))) continue
      const was = before && answeredBy(before, paths, steps)
      const is = after && answeredBy(after, paths, steps)
      if (was === is) continue
      if (was) this.#forget(was)
      if (is && before) this.#forget(is)
      else if (is && after) this.get(is)?.push(after.id)
    }
  }

  /** An object is again what it was: what was answered in between holds if it would be answered now. */
  undone(value: Stored | undefined, before: Stored | undefined): void {
    const type = (before ?? value)?.object
    for (const { paths, steps } of type === undefined ? [] : (this.#asked.get(type) ?? [])) {
      if (value && before && steps.every((one) => valueAt(value, one) === valueAt(before, one))) continue
      if (value) this.#forget(answeredBy(value, paths, steps))
      if (before) this.#forget(answeredBy(before, paths, steps))
    }
  }

  #remember(question: string, ids: string[]): void {
    if (this.#recent.size >= ANSWERS_MAX) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(question, ids)
  }

  #forget(question: string): void {
    this.#recent.delete(question)
    this.#older.delete(question)
  }
}

interface Condition {
  sql: string
  paths: string[]
  asked: (string | number | null)[]
  values: SQLInputValue[]
}

/** SQLite is to use one index, that of the column which tells most apart: the plus hides the others from its planner. */
function conditionFor(where: Where): Condition {
  const condition: Condition = { sql: '', paths: [], asked: [], values: [] }
  const best = COLUMN_PATHS.find((path) => where[path] != null) ?? COLUMN_PATHS.find((path) => where[path] === null)
  for (const path in where) {
    const value = where[path]
    if (value === undefined) continue
    const column = COLUMNS[path]
    const place = column ? `${path === best ? '' : '+'}${column}` : `json_extract(data, '${path}')`
    condition.sql += value === null ? ` and ${place} is null` : ` and ${place} = ?`
    condition.paths.push(path)
    const plain = typeof value === 'boolean' ? Number(value) : value
    condition.asked.push(plain)
    if (plain !== null) condition.values.push(plain)
  }
  return condition
}

function questionOf(type: string, paths: string[], asked: (string | number | null)[]): string {
  let question = type
  for (let i = 0; i < paths.length; i += 1) question += `\n${paths[i]}\n${asked[i] === null ? '' : `=${asked[i]}`}`
  return question
}

/** The question that an object is an answer to. */
function answeredBy(value: Stored, paths: string[], steps: string[][]): string {
  const asked = steps.map((one) => {
    const found = valueAt(value, one) ?? null
    return typeof found === 'boolean' ? Number(found) : (found as string | number | null)
  })
  return questionOf(value.object, paths, asked)
}

function columnsOf(value: Stored): SQLInputValue[] {
  const columns: SQLInputValue[] = []
  for (const steps of COLUMN_STEPS) {
    const found = steps.length === 1 ? (value as unknown as Fields)[steps[0]!] : valueAt(value, steps)
    columns.push(typeof found === 'string' ? found : null)
  }
  return columns
}

function stepsOf(path: string): string[] {
  return path.split('.').slice(1)
}

function valueAt(value: unknown, steps: string[]): unknown {
  let found = value
  for (const step of steps) {
    if (typeof found !== 'object' || found === null) return null
    found = (found as Fields)[step]
  }
  return found
}

/** The id comes first, where `#read` looks for it. */
function jsonOf(value: Stored): string {
  for (const first in value) {
    if (first === 'id') return JSON.stringify(value)
    break
  }
  const { id, ...rest } = value
  return JSON.stringify({ id, ...rest })
}

function withInternals(text: string, value: Stored): string {
  const internals: Fields = {}
  let hasAny = false
  for (const key in value) {
    const field = (value as unknown as Fields)[key]
    if (!key.startsWith('_') || field === undefined) continue
    internals[key] = field
    hasAny = true
  }
  return hasAny ? `${text.slice(0, -1)},${JSON.stringify(internals).slice(1)}` : text
}

function shared<T extends Stored>(value: T): T {
  return FREEZES ? frozen(value) : value
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}
