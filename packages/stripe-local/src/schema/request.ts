import type { ApiError } from '../http/errors.ts'
import { entriesOf, type Raw, type RawFields } from '../http/form.ts'
import {
  emptyParam,
  invalidArray,
  invalidBoolean,
  invalidDecimal,
  invalidEnum,
  invalidInteger,
  invalidObject,
  invalidString,
  missingParam,
  unknownParams,
} from '../http/wording.ts'
import { type EndpointSchema, type Fields, fieldsIn, isObjectType, requestSchema, type TypeSchema } from './schema.ts'

/** What was found in one walk over the parameters, the unknown ones first to be told. */
interface Findings {
  unknown: string[]
  missing: string[]
  wrong: ApiError[]
}

/** What every endpoint of its kind takes although the SDK's types do not say so. */
export function isBeyondTypes({ method, path }: { method: string; path: string }, name: string): boolean {
  if (name === 'expand') return path.startsWith('/v1/')
  // The SDK follows next_page_url as it is.
  return name === 'page' && method === 'GET' && path.startsWith('/v2/')
}

/**
 * Refuses what the SDK's types do not allow: names Stripe does not know, required ones left out, values of the wrong
 * kind. What a value means is for the endpoint to judge. @throws ApiError in Stripe's words
 */
export function checkRequest(
  endpoint: { method: string; path: string },
  { params }: EndpointSchema,
  raw: RawFields,
): void {
  const findings: Findings = { unknown: [], missing: [], wrong: [] }
  const typed = Object.entries(raw).filter(([name]) => !isBeyondTypes(endpoint, name))
  checkFields(params ? fieldsOf(params) : {}, Object.fromEntries(typed), '', findings)
  if (findings.unknown.length > 0) throw unknownParams(findings.unknown)
  const [missing] = findings.missing
  if (missing !== undefined) throw missingParam(missing)
  const [wrong] = findings.wrong
  if (wrong) throw wrong
}

function checkFields(fields: Fields, raw: RawFields, prefix: string, findings: Findings): void {
  const nameOf = (key: string) => (prefix === '' ? key : `${prefix}[${key}]`)
  for (const key of Object.keys(raw)) {
    if (raw[key] === undefined) continue
    const type = Object.hasOwn(fields, key) ? fields[key] : fields[`${key}?`]
    if (type !== undefined) checkValue(type, raw[key], nameOf(key), findings)
    else findings.unknown.push(nameOf(key))
  }
  for (const key of Object.keys(fields)) {
    if (!key.endsWith('?') && raw[key] === undefined) findings.missing.push(nameOf(key))
  }
}

function checkValue(type: TypeSchema, value: Raw, name: string, findings: Findings): void {
  const types = typeof type === 'object' && 'any' in type ? type.any : [type]
  if (types.includes('any')) return
  if (value === null || value === '') {
    if (!types.some(isUnset)) findings.wrong.push(wordingFor(types.find((one) => !isUnset(one))!, value, name))
  } else if (Array.isArray(value)) checkArray(types, value, name, findings)
  else if (typeof value === 'object') checkObject(types, value, name, findings)
  else if (!types.some((one) => isScalarOf(one, value))) {
    // Of several kinds the last one words the refusal, as a timestamp does in `'now' | timestamp`.
    const last = types.findLast((one) => !isUnset(one))
    findings.wrong.push(last === undefined ? invalidString(name) : wordingFor(last, value, name))
  }
}

function checkArray(types: TypeSchema[], value: Raw[], name: string, findings: Findings): void {
  for (const type of types) {
    if (typeof type !== 'object') continue
    if ('array' in type) {
      for (const [index, inner] of value.entries()) checkValue(type.array, inner, `${name}[${index}]`, findings)
      return
    }
    const entries = 'map' in type ? entriesOf(value) : null
    if ('map' in type && entries) {
      checkMap(type.map, entries, name, findings)
      return
    }
  }
  findings.wrong.push(wordingFor(types[0]!, value, name))
}

function checkObject(types: TypeSchema[], value: RawFields, name: string, findings: Findings): void {
  const map = types.find((one) => typeof one === 'object' && 'map' in one)
  if (typeof map === 'object' && 'map' in map) {
    checkMap(map.map, Object.entries(value), name, findings)
    return
  }
  const tried = types.filter(isObjectType).map((type) => {
    const found: Findings = { unknown: [], missing: [], wrong: [] }
    checkFields(fieldsOf(type), value, name, found)
    return found
  })
  const [best] = tried.toSorted((a, b) => weightOf(a) - weightOf(b))
  if (!best) findings.wrong.push(wordingFor(types[0]!, value, name))
  else for (const kind of ['unknown', 'missing', 'wrong'] as const) findings[kind].push(...(best[kind] as never[]))
}

function checkMap(type: TypeSchema, entries: [key: string, value: Raw][], name: string, findings: Findings): void {
  for (const [key, inner] of entries) {
    // What is unset in a map is removed from it.
    if (inner !== '' && inner !== null) checkValue(type, inner, `${name}[${key}]`, findings)
  }
}

function weightOf(found: Findings): number {
  return found.unknown.length + found.missing.length + found.wrong.length
}

function isScalarOf(type: TypeSchema, value: string | number | boolean | undefined): boolean {
  const text = String(value)
  if (type === 'string' || type === 'other') return true
  if (type === 'number' || type === 'decimal') return /^-?\d+(\.\d+)?$/.test(text)
  if (type === 'date') return /^\d+$/.test(text) || !Number.isNaN(Date.parse(text))
  if (type === 'boolean') return text === 'true' || text === 'false'
  if (typeof type === 'string') return false
  if ('is' in type) return text === String(type.is)
  return 'enum' in type && type.enum.includes(text)
}

function isUnset(type: TypeSchema): boolean {
  return (
    type === 'null' || (typeof type === 'object' && 'enum' in type && type.enum.length === 1 && type.enum[0] === '')
  )
}

function wordingFor(type: TypeSchema, value: Raw, name: string): ApiError {
  if (value === '' && (type === 'string' || type === 'other' || typeof type === 'object')) return emptyParam(name)
  if (type === 'number' || type === 'date') return invalidInteger(value, name)
  if (type === 'decimal') return invalidDecimal(value, name)
  if (type === 'boolean') return invalidBoolean(value, name)
  if (typeof type === 'string') return invalidString(name)
  if ('enum' in type)
    return invalidEnum(
      type.enum.filter((one) => one !== ''),
      name,
    )
  if ('is' in type) return invalidBoolean(value, name)
  return 'array' in type ? invalidArray(name) : invalidObject(name)
}

function fieldsOf(type: TypeSchema): Fields {
  return fieldsIn(requestSchema.types, type)
}
