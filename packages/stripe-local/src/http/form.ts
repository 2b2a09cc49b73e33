import { refuseParameter } from './errors.ts'

/** A parameter as it arrived: text in forms and query strings, JSON values in v2 bodies. */
export type Raw = string | number | boolean | null | undefined | Raw[] | { [key: string]: Raw }
export type RawFields = { [key: string]: Raw }

const KEY = /^([^[\]]+)((?:\[[^[\]]*\])*)$/
/** Nothing that Stripe takes is nested half as deep. */
const DEPTH_MAX = 20

/** The keys that the elements of a list had in their form: `metadata[2024]=…` looks like a list and is a map. */
const keysOfLists = new WeakMap<Raw[], string[]>()

/** Keys and values of a map, one with only numeric keys included; null for what is none. */
export function entriesOf(value: Raw): [key: string, value: Raw][] | null {
  if (typeof value !== 'object' || value === null) return null
  if (!Array.isArray(value)) return Object.entries(value)
  return keysOfLists.get(value)?.map((key, index) => [key, value[index]]) ?? null
}

/**
 * Reads `a=1&b[c]=2&d[0][e]=3&f[]=4&f[]=5` into nested fields. Arrays may be indexed, as stripe-node sends them, or
 * empty-bracketed, as curl users write them; in `a[][x]=1&a[][y]=2` a repeated key begins the next element.
 */
export function readForm(text: string): RawFields {
  const fields: RawFields = Object.create(null)
  if (text === '') return fields
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const key = decode(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1))
    const parts = KEY.exec(key)
    if (!parts) throw refuseParameter(`Invalid request: malformed parameter name '${key}'.`)
    const inner = parts[2] === '' ? [] : parts[2]!.slice(1, -1).split('][')
    if (inner.length > DEPTH_MAX) throw refuseParameter(`Invalid request: '${parts[1]}' is nested too deeply.`)
    place(fields, [parts[1]!, ...inner], value)
  }
  return settle(fields) as RawFields
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw refuseParameter('Invalid request: the parameters are not valid URL encoding.')
  }
}

/** Containers are built as maps; `[]` counts upwards. `settle` turns those with only numeric keys into arrays. */
function place(container: RawFields, path: string[], value: string): void {
  const [head, ...rest] = path as [string, ...string[]]
  const key = head === '' ? nextIndex(container, rest) : head
  if (rest.length === 0) {
    container[key] = value
    return
  }
  const inner = container[key]
  if (typeof inner === 'object' && inner !== null) place(inner as RawFields, rest, value)
  else {
    const fresh: RawFields = Object.create(null)
    container[key] = fresh
    place(fresh, rest, value)
  }
}

function nextIndex(container: RawFields, rest: string[]): string {
  const size = Object.keys(container).length
  if (size === 0 || rest.length === 0) return String(size)
  const last = container[String(size - 1)]
  const taken = typeof last === 'object' && last !== null && rest[0]! in (last as RawFields)
  return String(taken ? size : size - 1)
}

function settle(value: Raw): Raw {
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value as RawFields).map(([key, inner]) => [key, settle(inner)] as const)
  const isList = entries.length > 0 && entries.every(([key]) => /^\d+$/.test(key))
  if (!isList) return Object.assign(Object.create(null), Object.fromEntries(entries)) as RawFields
  entries.sort(([a], [b]) => Number(a) - Number(b))
  const elements = entries.map(([, inner]) => inner)
  keysOfLists.set(
    elements,
    entries.map(([key]) => key),
  )
  return elements
}

/** Fields as the in-process caller of the API writes them, in the shapes a form would have. */
export function rawFrom(value: unknown): Raw {
  if (value === null || value === undefined) return value
  if (value instanceof Date) return String(Math.floor(value.getTime() / 1000))
  if (Array.isArray(value)) return value.map(rawFrom)
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
    return Object.fromEntries(entries.map(([key, inner]) => [key, rawFrom(inner)]))
  }
  return String(value)
}
