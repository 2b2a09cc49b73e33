import { refuse } from '../http/errors.ts'

/** One `field:"value"` of a query. `value` null asks for what is not there. */
export interface Clause {
  field: string
  /** Of `metadata["key"]`. */
  key: string | null
  operator: ':' | '~' | '>' | '>=' | '<' | '<='
  value: string | null
  isNegated: boolean
}

export interface Query {
  clauses: Clause[]
  joinedBy: 'and' | 'or'
}

const CLAUSES_MAX = 10

const SPACE = /\s+/y
const JOINT = /(and|or)(?=\s)/iy
const FIELD = /metadata\[\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*\]|[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*/iy
const OPERATOR = />=|<=|:|~|>|</y
const VALUE = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?(?=\s|$)|null(?=\s|$)/iy

/**
 * Reads Stripe's search query language: up to ten clauses, joined all by AND (the default) or all by OR.
 *
 * @throws ApiError in Stripe's words for what is no query
 * @see https://docs.stripe.com/search#search-query-language
 */
export function parseQuery(text: string): Query {
  const reader = new Reader(text)
  const clauses: Clause[] = []
  const joints = new Set<'and' | 'or'>()
  reader.skip()
  while (!reader.isDone) {
    const joint = clauses.length > 0 ? reader.take(JOINT) : null
    if (joint) reader.skip()
    if (clauses.length > 0) joints.add((joint?.toLowerCase() ?? 'and') as 'and' | 'or')
    clauses.push(clauseFrom(reader))
    if (!reader.isDone && !reader.skip()) throw unreadable()
  }
  if (clauses.length === 0) throw unreadable()
  if (joints.size > 1) {
    throw refuse('We were unable to parse your search query. `AND` and `OR` cannot be combined in the same query.')
  }
  if (clauses.length > CLAUSES_MAX) {
    throw refuse(`We were unable to parse your search query. It can have at most ${CLAUSES_MAX} clauses.`)
  }
  return { clauses, joinedBy: joints.has('or') ? 'or' : 'and' }
}

function clauseFrom(reader: Reader): Clause {
  const isNegated = reader.take(/-/y) !== null
  const field = reader.take(FIELD)
  const operator = reader.take(OPERATOR)
  const value = reader.take(VALUE)
  if (field === null || operator === null || value === null) throw unreadable()
  const key = /^metadata\[\s*(.+?)\s*\]$/is.exec(field)?.[1]
  return {
    field: key === undefined ? field : 'metadata',
    key: key === undefined ? null : unquoted(key),
    operator: operator as Clause['operator'],
    value: /^null$/i.test(value) ? null : unquoted(value),
    isNegated,
  }
}

function unquoted(text: string): string {
  if (!/^["']/.test(text)) return text
  return text.slice(1, -1).replaceAll(/\\(.)/gs, '$1')
}

function unreadable() {
  return refuse(
    'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for metadata or key:"value" to query for other fields.',
  )
}

/** A text and how far it was read. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isDone(): boolean {
    return this.#at >= this.#text.length
  }

  /** What a sticky pattern matches here, read past; null when it does not. */
  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? null
    if (found !== null) this.#at += found.length
    return found
  }

  skip(): boolean {
    return this.take(SPACE) !== null
  }
}
