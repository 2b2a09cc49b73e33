import type { SQLInputValue } from 'node:sqlite'
import { refuse } from '../http/errors.ts'
import type { FieldKind, Searchable } from './fields.ts'
import type { Clause, Query } from './query.ts'

export interface Condition {
  sql: string
  values: SQLInputValue[]
}

const SUBSTRING_MIN = 3
/** Has a column of its own. */
const EMAIL = 'email'

/** The query as a condition over `objects.data`. @throws ApiError for a field or an operator the resource has not */
export function conditionOf(query: Query, searchable: Searchable): Condition {
  const parts = query.clauses.map((clause) => clauseCondition(clause, searchable))
  return {
    sql: `(${parts.map(({ sql }) => sql).join(query.joinedBy === 'or' ? ' or ' : ' and ')})`,
    values: parts.flatMap(({ values }) => values),
  }
}

function clauseCondition(clause: Clause, searchable: Searchable): Condition {
  const { field, kind } = columnOf(clause, searchable)
  const { sql, values } = comparison(clause, field.sql, kind)
  // A field that is not there does not match, so its negation does.
  return { sql: clause.isNegated ? `not coalesce(${sql}, 0)` : sql, values: [...field.values, ...values] }
}

function columnOf(clause: Clause, { resource, fields }: Searchable): { field: Condition; kind: FieldKind } {
  if (clause.key !== null) {
    const sql = `(select value from json_each(data, '$.metadata') where key = ?)`
    return { field: { sql, values: [clause.key] }, kind: 'token' }
  }
  const known = Object.hasOwn(fields, clause.field) ? fields[clause.field] : undefined
  if (!known) {
    throw refuse(
      `Field \`${clause.field}\` is an unsupported search field for resource \`${resource}\`. See http://stripe.com/docs/search#query-fields-for-${resource.replaceAll('_', '-')} for a list of supported fields.`,
    )
  }
  const [path, kind] = known
  const sql = path === '$.email' ? EMAIL : `json_extract(data, '${path}')`
  return { field: { sql, values: [] }, kind }
}

function comparison({ field, operator, value }: Clause, column: string, kind: FieldKind): Condition {
  if (value === null) {
    if (operator !== ':') throw unsupported(field, operator)
    return { sql: `(${column} is null)`, values: [] }
  }
  if (operator === ':') return equality(column, kind, value)
  if (operator === '~') {
    if (kind !== 'string') throw unsupported(field, operator)
    if (value.length < SUBSTRING_MIN) {
      throw refuse(`A substring of field \`${field}\` needs at least ${SUBSTRING_MIN} characters; got \`${value}\`.`)
    }
    return { sql: `(instr(lower(${column}), lower(?)) > 0)`, values: [value] }
  }
  if (kind !== 'number') throw unsupported(field, operator)
  return { sql: `(${column} ${operator} ?)`, values: [numberFrom(field, value)] }
}

function equality(column: string, kind: FieldKind, value: string): Condition {
  if (kind === 'number') return { sql: `(${column} = ?)`, values: [Number(value)] }
  if (kind === 'flag') return { sql: `(${column} = ?)`, values: [value.toLowerCase() === 'true' ? 1 : 0] }
  // Said twice, so that the index of those that have an email is used.
  const there = column === EMAIL ? `${EMAIL} is not null and ` : ''
  return { sql: `(${there}lower(${column}) = lower(?))`, values: [value] }
}

function numberFrom(field: string, value: string): number {
  const read = Number(value)
  if (value.trim() !== '' && !Number.isNaN(read)) return read
  throw refuse(`Field \`${field}\` is compared with a number; got \`${value}\`.`)
}

function unsupported(field: string, operator: string) {
  return refuse(`Operator \`${operator}\` is not supported for search field \`${field}\`.`)
}
