import { isDeepStrictEqual } from 'node:util'
import type { Account, Wire } from '../account.ts'
import type { Invoice } from './invoice.ts'

/**
 * Changes an invoice and tells of it: invoice.updated with what was before, then the given events, all with the one
 * presentation of the invoice as it now is. For changes of its own fields; a change of its lines goes through
 * `account.change`.
 */
export function changeInvoice(
  account: Account,
  before: Invoice,
  changes: Partial<Invoice>,
  ...events: string[]
): Invoice {
  const after = account.objects.save<Invoice>({ ...before, ...changes })
  const shown = account.present(after)
  const previous = previousOf(before as unknown as Wire, changes as Wire)
  if (Object.keys(previous).length > 0) account.events.emit('invoice.updated', shown, previous)
  for (const event of events) account.events.emit(event, shown)
  return after
}

function previousOf(before: Wire, changes: Wire): Wire {
  const previous: Wire = {}
  for (const key of Object.keys(changes)) {
    const [was, is] = [before[key], changes[key]]
    if (key.startsWith('_') || was === is || isDeepStrictEqual(was, is)) continue
    previous[key] = isHash(was) && isHash(is) ? previousOf(was, is) : (was ?? null)
  }
  return previous
}

function isHash(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
