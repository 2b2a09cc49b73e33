import { createElement, type ReactElement } from 'react'
import { type Amount, groupThousands, parseDecimal, splitDigits } from './money.ts'

/**
 * `formatQuantity('12345', 'tokens')` is `12,345 tokens`; `formatQuantity(1, 'tokens')` is `1 token`.
 *
 * @param value  an exact decimal: a safe integer, a bigint, or a decimal string
 * @param unit   the unit's plural
 * @throws  RangeError for anything that is no exact decimal number
 */
export function formatQuantity(value: Amount, unit?: string): string {
  const { negative, digits, scale } = parseDecimal(value, 'formatQuantity')
  const { whole, fraction } = splitDigits(digits, scale)
  const shown = fraction.replace(/0+$/, '')
  const sign = negative && /[1-9]/.test(digits) ? '-' : ''
  return withUnit(`${sign}${groupThousands(whole)}${shown ? `.${shown}` : ''}`, unit)
}

const steps = [
  { letter: 'T', digits: 12 },
  { letter: 'B', digits: 9 },
  { letter: 'M', digits: 6 },
]

/** From a million on in short, cut and never rounded up: `1,999,999` is `1.99M`, so that nobody reads a limit as passed. */
export function formatQuantityShort(value: Amount, unit?: string): string {
  const { negative, digits, scale } = parseDecimal(value, 'formatQuantityShort')
  const { whole } = splitDigits(digits, scale)
  const step = steps.find((candidate) => whole.length > candidate.digits)
  if (!step) return formatQuantity(value, unit)
  const lead = whole.slice(0, whole.length - step.digits)
  const decimals = lead.length >= 3 ? 0 : lead.length === 2 ? 1 : 2
  const rest = whole.slice(lead.length, lead.length + decimals).replace(/0+$/, '')
  return withUnit(`${negative ? '-' : ''}${groupThousands(lead)}${rest ? `.${rest}` : ''}${step.letter}`, unit)
}

/** A quantity; from a million on in short, with the exact value on hover and for screen readers. `exact` never shortens. */
export function Quantity({
  value,
  unit,
  exact = false,
  className,
}: {
  value: Amount
  unit?: string
  exact?: boolean
  className?: string
}): ReactElement {
  const full = formatQuantity(value, unit)
  const short = exact ? full : formatQuantityShort(value, unit)
  const classes = `tabular-nums whitespace-nowrap${className ? ` ${className}` : ''}`
  if (short === full) return createElement('span', { className: classes }, full)
  return createElement(
    'span',
    { className: classes, title: full },
    createElement('span', { 'aria-hidden': true }, short),
    createElement('span', { className: 'sr-only' }, full),
  )
}

function withUnit(number: string, unit: string | undefined): string {
  if (!unit) return number
  return `${number} ${number === '1' ? unit.replace(/s$/, '') : unit}`
}
