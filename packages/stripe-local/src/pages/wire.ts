import type { ApiObject } from './context.ts'

/** What stands at a dotted path of an API answer, e.g. `recurring.interval`; undefined when a step is missing. */
function valueAt(from: unknown, path: string): unknown {
  let value = from
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as ApiObject)[key]
  }
  return value
}

export function text(from: unknown, path: string): string | null {
  const value = valueAt(from, path)
  return typeof value === 'string' && value !== '' ? value : null
}

export function integer(from: unknown, path: string): number | null {
  const value = valueAt(from, path)
  return typeof value === 'number' ? value : null
}

export function flag(from: unknown, path: string): boolean {
  return valueAt(from, path) === true
}

/** A nested or expanded object; null where only its id stands. */
export function child(from: unknown, path: string): ApiObject | null {
  const value = valueAt(from, path)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ApiObject) : null
}

/** The id of a reference, expanded or not. */
export function reference(from: unknown, path: string): string | null {
  return text(from, path) ?? text(from, `${path}.id`)
}

/** The objects of an array or of an API list. */
export function list(from: unknown, path: string): ApiObject[] {
  const value = valueAt(from, path)
  const data = Array.isArray(value) ? value : valueAt(value, 'data')
  return Array.isArray(data) ? data.filter((entry) => typeof entry === 'object' && entry !== null) : []
}

/** Strings of an array. */
export function texts(from: unknown, path: string): string[] {
  const value = valueAt(from, path)
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
}

/** An instant that the API gives in Unix seconds. */
export function instant(from: unknown, path: string): Date | null {
  const seconds = integer(from, path)
  return seconds === null ? null : new Date(seconds * 1000)
}
