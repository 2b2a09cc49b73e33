import { readFileSync } from 'node:fs'
import {
  type AnswerSchema,
  endpointFor,
  type Fields,
  fieldsIn,
  isObjectType,
  type TypeSchema,
} from '../src/schema/schema.ts'

const schema = JSON.parse(readFileSync(new URL('answers.json', import.meta.url), 'utf8')) as AnswerSchema

/**
 * A fetch that notes in `problems` what an answer has that the SDK's types do not know, or lacks that they promise.
 * `isReal`: Stripe itself may be ahead of its SDK, so its new fields and values are no problem.
 */
export function checkedFetch(problems: string[], isReal: boolean): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    const body = await response.clone().text()
    const { pathname } = new URL(input instanceof Request ? input.url : input)
    const found = response.ok ? checkAnswer(init?.method ?? 'GET', pathname, body) : []
    problems.push(...found.filter((problem) => !isReal || !problem.endsWith(AHEAD)))
    return response
  }
}

const AHEAD = 'unknown to the SDK'

/** What is wrong with an answer, one sentence each. */
export function checkAnswer(method: string, pathname: string, body: string): string[] {
  const key = endpointFor(method, pathname)
  const type = key === undefined ? undefined : schema.endpoints[key]
  if (!type) return key === undefined ? [`${method} ${pathname} is no endpoint the SDK knows`] : []
  return compare(type, JSON.parse(body), key!)
}

/** Every problem of a value of this type; `at` says where it is. */
function compare(type: TypeSchema, value: unknown, at: string): string[] {
  // In an event's previous_attributes null stands for what was not there, such as a new key of metadata.
  if (value === null && at.includes('.previous_attributes.')) return []
  if (typeof type === 'string') return isOf(type, value) ? [] : [wrong(at, type, value)]
  if ('is' in type) return value === type.is ? [] : [wrong(at, String(type.is), value)]
  if ('enum' in type) return compareEnum(type, value, at)
  if ('any' in type) return compareAny(type.any, value, at)
  if ('array' in type) return compareArray(type.array, value, at)
  if ('list' in type) return compareFields(listFields(type.list), value, at)
  if ('search' in type) return compareFields(searchFields(type.search), value, at)
  if ('v2_list' in type)
    return compareFields(
      { data: { array: type.v2_list }, 'next_page_url?': NULLABLE, 'previous_page_url?': NULLABLE },
      value,
      at,
    )
  if (!isRecord(value)) return [wrong(at, 'an object', value)]
  if ('map' in type) return Object.entries(value).flatMap(([key, inner]) => compare(type.map, inner, `${at}.${key}`))
  if ('partial' in type) {
    const fields = Object.entries(fieldsOf(type.partial)).map(([key, inner]) => [`${key.replace('?', '')}?`, inner])
    return compareFields(Object.fromEntries(fields), value, at)
  }
  return compareFields(fieldsOf(type), value, at)
}

const NULLABLE: TypeSchema = { any: ['string', 'null'] }

function listFields(of: TypeSchema): Fields {
  return {
    object: { enum: ['list'] },
    data: { array: of },
    has_more: 'boolean',
    url: 'string',
    'total_count?': 'number',
  }
}

function searchFields(of: TypeSchema): Fields {
  const page: Fields = { data: { array: of }, has_more: 'boolean', url: 'string', next_page: NULLABLE }
  return { object: { enum: ['search_result'] }, ...page, 'total_count?': 'number' }
}

function fieldsOf(type: TypeSchema): Fields {
  return fieldsIn(schema.types, type)
}

function compareFields(fields: Fields, value: unknown, at: string): string[] {
  if (!isRecord(value)) return [wrong(at, 'an object', value)]
  const problems: string[] = []
  for (const [key, type] of Object.entries(fields)) {
    const name = key.replace('?', '')
    const isOptional = key.endsWith('?')
    if (value[name] === undefined) {
      // Of a hash that changed, an event's previous_attributes hold only the keys that did.
      if (!isOptional && !at.includes('.previous_attributes.')) problems.push(`${at}.${name} is missing`)
    } else if (isOptional && value[name] === null && at.includes('.previous_attributes')) {
      // What was not there before is null among them.
    } else problems.push(...compare(type, value[name], `${at}.${name}`))
  }
  for (const name of Object.keys(value)) {
    if (!(name in fields) && !(`${name}?` in fields)) problems.push(`${at}.${name} is ${AHEAD}`)
  }
  return problems
}

function compareArray(of: TypeSchema, value: unknown, at: string): string[] {
  if (!Array.isArray(value)) return [wrong(at, 'an array', value)]
  return value.flatMap((inner, index) => compare(of, inner, `${at}[${index}]`))
}

/** The alternative that fits; or what is wrong with the one whose fixed fields (`object`, `type`) fit. */
function compareAny(types: TypeSchema[], value: unknown, at: string): string[] {
  const objects = types.filter(isObjectType)
  const others = types.filter((type) => !isObjectType(type))
  if (others.some((type) => compare(type, value, at).length === 0)) return []
  if (!isRecord(value)) return [wrong(at, types.map(nameOf).join(' | '), value)]
  const tried = objects.filter((type) => fixedFieldsFit(fieldsOf(type), value)).map((type) => compare(type, value, at))
  if (tried.length === 0) return [`${at} is none of ${types.map(nameOf).join(', ').slice(0, 200)}: ${shown(value)}`]
  return tried.toSorted((a, b) => a.length - b.length)[0]!
}

function fixedFieldsFit(fields: Fields, value: { [key: string]: unknown }): boolean {
  return Object.entries(fields).every(([key, type]) => {
    const isFixed = typeof type === 'object' && (('enum' in type && !type.open) || 'is' in type)
    return !isFixed || key.endsWith('?') || compare(type, value[key], '').length === 0
  })
}

function compareEnum(type: { enum: string[]; open?: true }, value: unknown, at: string): string[] {
  if (typeof value !== 'string') return [wrong(at, type.enum.join(' | '), value)]
  if (type.enum.includes(value)) return []
  return type.open ? [`${at} has a value, ${shown(value)}, ${AHEAD}`] : [wrong(at, type.enum.join(' | '), value)]
}

/** A decimal is a string on the wire. */
function isOf(type: string, value: unknown): boolean {
  if (type === 'any') return true
  if (type === 'null') return value === null
  if (type === 'decimal') return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)
  if (type === 'other' || type === 'date') return typeof value === 'string'
  if (type === 'nothing') return isRecord(value) && Object.keys(value).length === 0
  return typeof value === type
}

function isRecord(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(at: string, type: string, value: unknown): string {
  return `${at} should be ${type}, and is ${shown(value)}`
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? 'undefined'
}

function nameOf(type: TypeSchema): string {
  if (typeof type === 'string') return type
  if ('ref' in type) return type.ref
  if ('enum' in type) return type.enum.join(' | ')
  return Object.keys(type)[0]!
}
