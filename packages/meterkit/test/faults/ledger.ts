import type { Use } from './app-process.ts'

/** What the harness knows by itself: what it asked for, and what callers were told. */
export interface Ledger {
  /** Everything ever handed to a `recordEvent`, by its ref. */
  uses: Map<string, Use>
  /** Refs that some `recordEvent` took; one that all have refused must not be stored. */
  taken: Set<string>
  /** Recorded in a transaction of the caller's whose commit was answered, or whose rollback was, or that died before. */
  committed: Set<string>
  rolledBack: Set<string>
  /** By event id: voids asked for, and those that were answered. */
  voidsAsked: Set<string>
  voidsDone: Set<string>
}

export function newLedger(): Ledger {
  return {
    uses: new Map(),
    taken: new Set(),
    committed: new Set(),
    rolledBack: new Set(),
    voidsAsked: new Set(),
    voidsDone: new Set(),
  }
}
