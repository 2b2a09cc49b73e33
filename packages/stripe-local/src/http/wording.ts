import type { ApiError } from './errors.ts'
import { refuseParameter } from './errors.ts'
import type { Raw } from './form.ts'

// Stripe's sentences about parameters, one function each. @see https://docs.stripe.com/error-codes

export function unknownParams(names: string[]): ApiError {
  const message = `Received unknown parameter${names.length > 1 ? 's' : ''}: ${names.join(', ')}`
  return refuseParameter(message, { code: 'parameter_unknown', param: names[0] })
}

/** Not Stripe's: it knows the parameter, the local Stripe does nothing with it, and will not pretend to. */
export function unsupportedParams(names: string[], endpoint: string): ApiError {
  const listed = `parameter${names.length > 1 ? 's' : ''} ${names.join(', ')}`
  return refuseParameter(`stripe-local does not support the ${listed} of ${endpoint} yet.`, {
    code: 'stripe_local_unsupported',
    param: names[0],
  })
}

export function missingParam(name: string): ApiError {
  return refuseParameter(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name })
}

export function emptyParam(name: string): ApiError {
  return refuseParameter(
    `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however '${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`,
    { code: 'parameter_invalid_empty', param: name },
  )
}

export function invalidInteger(value: Raw, name: string): ApiError {
  return refuseParameter(`Invalid integer: ${written(value)}`, { code: 'parameter_invalid_integer', param: name })
}

export function invalidDecimal(value: Raw, name: string): ApiError {
  return refuseParameter(`Invalid decimal: ${written(value)}`, { param: name })
}

export function invalidBoolean(value: Raw, name: string): ApiError {
  return refuseParameter(`Invalid boolean: ${written(value)}`, { param: name })
}

export function invalidString(name: string): ApiError {
  return refuseParameter('Invalid string: must be a string', { param: name })
}

export function invalidArray(name: string): ApiError {
  return refuseParameter('Invalid array', { param: name })
}

export function invalidObject(name: string): ApiError {
  return refuseParameter('Invalid object', { param: name })
}

/** `Invalid interval: must be one of day, month, week, or year` */
export function invalidEnum(values: readonly string[], name: string): ApiError {
  const label = /\[?([^[\]]+)\]?$/.exec(name.replace(/(\[\d+\])+$/, ''))?.[1] ?? name
  const [last, ...others] = values.toReversed()
  const listed =
    others.length === 0 ? last : `${others.toReversed().join(', ')}${others.length > 1 ? ',' : ''} or ${last}`
  const message = `Invalid ${label}: must be ${others.length === 0 ? '' : 'one of '}${listed}`
  return refuseParameter(message, { param: name })
}

function written(value: Raw): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
