import { refuseParameter } from './errors.ts'
import { entriesOf, type Raw, type RawFields } from './form.ts'
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
  unsupportedParams,
} from './wording.ts'

/** How one parameter is read. Optional unless wrapped in `required`. */
export interface Rule<T> {
  isRequired?: boolean
  /** Kept and shown again, but without any effect here; the coverage table says so. */
  isOnlyShown?: boolean
  /** The rules of what is inside, for the coverage table. */
  inner?: Shape
  /** @throws ApiError worded as Stripe words it. Names of parameters nobody declared are collected in `unknown`. */
  read: (value: Raw, name: string, unknown: string[]) => T
}
export interface RequiredRule<T> extends Rule<T> {
  isRequired: true
}
export type Shape = { [name: string]: Rule<unknown> }

const URL_MAX = 5000

type Value<R> = R extends Rule<infer T> ? T : never
type Flat<T> = { [K in keyof T]: T[K] }
/** The parameters a shape lets through, with their types. */
export type Params<S extends Shape> = Flat<
  { [K in keyof S as S[K] extends RequiredRule<unknown> ? K : never]: Value<S[K]> } & {
    [K in keyof S as S[K] extends RequiredRule<unknown> ? never : K]?: Value<S[K]>
  }
>

/**
 * Reads all parameters of a request.
 *
 * @param endpoint the address, when the SDK's types have let all of them through: what is left over is unsupported here
 * @throws ApiError
 */
export function readParams<S extends Shape>(shape: S, raw: RawFields, endpoint?: string): Params<S> {
  const unknown: string[] = []
  const params = readShape(shape, raw, '', unknown)
  if (unknown.length > 0) throw endpoint ? unsupportedParams(unknown, endpoint) : unknownParams(unknown)
  return params
}

function readShape<S extends Shape>(rules: S, raw: RawFields, prefix: string, unknown: string[]): Params<S> {
  const params: { [name: string]: unknown } = {}
  const nameOf = (key: string) => (prefix === '' ? key : `${prefix}[${key}]`)
  for (const key of Object.keys(raw)) {
    if (raw[key] === undefined) continue
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined
    if (rule) params[key] = rule.read(raw[key], nameOf(key), unknown)
    else unknown.push(nameOf(key))
  }
  if (unknown.length > 0) return params as Params<S>
  for (const [key, rule] of Object.entries(rules)) {
    if (rule.isRequired && params[key] === undefined) throw missingParam(nameOf(key))
  }
  return params as Params<S>
}

export function required<T>(rule: Rule<T>): RequiredRule<T> {
  return { ...rule, isRequired: true }
}

/** A parameter that is stored and shown again and changes nothing else. */
export function onlyShown<T>(rule: Rule<T>): Rule<T> {
  return { ...rule, isOnlyShown: true }
}

/** An empty value (`key=`) unsets: it is read as null. */
export function unsettable<T>(rule: Rule<T>): Rule<T | null> {
  return {
    ...passedOn(rule),
    read: (value, name, unknown) => (value === '' || value === null ? null : rule.read(value, name, unknown)),
  }
}

export function text(limits: { max?: number } = {}): Rule<string> {
  return {
    read(value, name) {
      if (value === '' || value === null) throw emptyParam(name)
      if (typeof value === 'object') throw invalidString(name)
      const read = String(value)
      if (limits.max !== undefined && read.length > limits.max) {
        throw refuseParameter(
          `Invalid string: ${read.slice(0, 12)}...${read.slice(-4)}; must be at most ${limits.max} characters`,
          { param: name },
        )
      }
      return read
    },
  }
}

/** An address a browser is sent to or a page links to: of the web, never a script. */
export function webAddress(): Rule<string> {
  return {
    read(value, name, unknown) {
      const url = text().read(value, name, unknown)
      if (url.length > URL_MAX) {
        throw refuseParameter(`Invalid URL: URL must be ${URL_MAX} characters or less.`, { param: name })
      }
      if (URL.canParse(url) && /^https?:/i.test(url)) return url
      throw refuseParameter('Not a valid URL', { code: 'url_invalid', param: name })
    },
  }
}

export function integer(limits: { min?: number; max?: number } = {}): Rule<number> {
  return {
    read(value, name) {
      const written = typeof value === 'object' ? JSON.stringify(value) : String(value)
      if (value === null || !/^-?\d{1,16}$/.test(written)) {
        throw invalidInteger(value, name)
      }
      const read = Number(written)
      if (limits.min !== undefined && read < limits.min) {
        const message =
          limits.min === 0
            ? 'Invalid non-negative integer'
            : `This value must be greater than or equal to ${limits.min}.`
        throw refuseParameter(message, { code: 'parameter_invalid_integer', param: name })
      }
      if (limits.max !== undefined && read > limits.max) {
        throw refuseParameter(
          `This value must be less than or equal to ${limits.max} (it currently is '${written}').`,
          { code: 'parameter_invalid_integer', param: name },
        )
      }
      return read
    },
  }
}

/** Unix seconds. */
export function timestamp(): Rule<number> {
  return {
    read(value, name) {
      const written = String(value)
      if (!/^\d{1,12}$/.test(written)) {
        throw refuseParameter(`Invalid timestamp: must be an integer Unix timestamp in seconds, got ${written}`, {
          code: 'parameter_invalid_integer',
          param: name,
        })
      }
      return Number(written)
    },
  }
}

/** An exact decimal, kept as text: at most 12 places. */
export function decimal(limits: { negative?: boolean } = {}): Rule<string> {
  return {
    read(value, name) {
      const written = typeof value === 'object' ? JSON.stringify(value) : String(value)
      if (!/^-?\d+(\.\d+)?$/.test(written)) throw invalidDecimal(value, name)
      if (written.startsWith('-') && !limits.negative) {
        throw refuseParameter('Invalid non-negative decimal', { param: name })
      }
      if ((written.split('.')[1] ?? '').length > 12) {
        throw refuseParameter(`Invalid decimal: ${written}; must contain at maximum 12 decimal places.`, {
          param: name,
        })
      }
      return written
    },
  }
}

export function flag(): Rule<boolean> {
  return {
    read(value, name) {
      if (value === 'true' || value === true) return true
      if (value === 'false' || value === false) return false
      throw invalidBoolean(value, name)
    },
  }
}

export function oneOf<const T extends string>(...values: T[]): Rule<T> {
  return {
    read(value, name) {
      if (typeof value === 'string' && (values as string[]).includes(value)) return value as T
      throw invalidEnum(values, name)
    },
  }
}

/** The first of two forms that fits, e.g. `'now'` or a timestamp; the last one words the refusal. */
export function either<A, B>(first: Rule<A>, second: Rule<B>): Rule<A | B> {
  return {
    ...passedOn(first),
    ...passedOn(second),
    read(value, name, unknown) {
      try {
        return first.read(value, name, [])
      } catch {
        return second.read(value, name, unknown)
      }
    },
  }
}

/** What the coverage table wants to know of a rule around another. */
function passedOn(rule: Rule<unknown>): Pick<Rule<unknown>, 'inner' | 'isOnlyShown'> {
  return { ...(rule.inner && { inner: rule.inner }), ...(rule.isOnlyShown && { isOnlyShown: true }) }
}

/** `created=…` and its kin: an instant, or `gt`, `gte`, `lt`, `lte`. */
export interface Range {
  gt?: number
  gte?: number
  lt?: number
  lte?: number
}
export function range(): Rule<Range> {
  const bounds = shape({ gt: timestamp(), gte: timestamp(), lt: timestamp(), lte: timestamp() })
  return {
    read(value, name, unknown) {
      if (typeof value === 'object' && value !== null) return bounds.read(value, name, unknown)
      const at = timestamp().read(value, name, unknown)
      return { gte: at, lte: at }
    },
  }
}

export function list<T>(rule: Rule<T>, limits: { max?: number } = {}): Rule<T[]> {
  return {
    ...passedOn(rule),
    read(value, name, unknown) {
      if (!Array.isArray(value)) throw invalidArray(name)
      if (limits.max !== undefined && value.length > limits.max) {
        throw refuseParameter(`Invalid array: too many elements, at most ${limits.max} are allowed`, { param: name })
      }
      return value.map((inner, index) => rule.read(inner, `${name}[${index}]`, unknown))
    },
  }
}

export function shape<S extends Shape>(rules: S): Rule<Params<S>> {
  return {
    inner: rules,
    read(value, name, unknown) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw invalidObject(name)
      }
      return readShape(rules, value, name, unknown)
    },
  }
}

/** String to string; numbers and booleans of JSON are refused nowhere but written as text. */
export function mapOfText(
  limits: { keys?: number; key?: number; value?: number } = {},
): Rule<{ [key: string]: string }> {
  return {
    read(value, name) {
      const entries = entriesOf(value)
      if (!entries) throw invalidObject(name)
      if (limits.keys !== undefined && entries.length > limits.keys) {
        throw refuseParameter(`You can only have up to ${limits.keys} keys.`, { param: name })
      }
      for (const [key, inner] of entries) {
        if (typeof inner === 'object' && inner !== null) {
          throw refuseParameter(`Invalid string: the value of ${name}[${key}] must be a string`, {
            param: `${name}[${key}]`,
          })
        }
        if (limits.key !== undefined && key.length > limits.key) {
          throw refuseParameter(`Keys can have up to ${limits.key} characters; '${key}' has ${key.length}.`, {
            param: name,
          })
        }
        if (limits.value !== undefined && String(inner ?? '').length > limits.value) {
          throw refuseParameter(
            `Values can have up to ${limits.value} characters, but you passed in a value for '${key}' that is ${String(inner).length} characters.`,
            {
              param: `${name}[${key}]`,
            },
          )
        }
      }
      return Object.fromEntries(entries.map(([key, inner]) => [key, String(inner ?? '')]))
    },
  }
}

export type Metadata = { [key: string]: string }

/** Metadata of a create or an update; `null` clears it all. Merge with `mergedMetadata`. */
export function metadata(): Rule<Metadata | null> {
  return unsettable(mapOfText({ keys: 50, key: 40, value: 500 }))
}

/** What was kept plus what was sent; an empty value removes its key. */
export function mergedMetadata(kept: Metadata, sent: Metadata | null | undefined): Metadata {
  if (sent === undefined) return kept
  const merged = sent === null ? {} : { ...kept, ...sent }
  const result = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''))
  if (Object.keys(result).length > 50)
    throw refuseParameter('You can only have up to 50 metadata keys.', { param: 'metadata' })
  return result
}
