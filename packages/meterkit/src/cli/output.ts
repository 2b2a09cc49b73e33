import { createInterface } from 'node:readline/promises'
import { UsageError } from './outcome.ts'

export interface Column {
  name: string
  /** For numbers. */
  right?: boolean
}

/** For people: aligned, with a header, wide as its content. */
export function table(columns: readonly (string | Column)[], rows: readonly string[][]): string {
  const heads = columns.map((column) => (typeof column === 'string' ? { name: column } : column))
  const widths = heads.map(({ name }, index) => Math.max(name.length, ...rows.map((row) => row[index]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => (heads[index]!.right ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)))
      .join('  ')
      .trimEnd()
  return [line(heads.map(({ name }) => name)), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join(
    '\n',
  )
}

/** For programs. Amounts, which are exact, come as strings of minor units. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part), 2)
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** `2026-11-24 14:05:09`, UTC as everywhere in the tools. */
export function instant(at: Date | null): string {
  return at ? at.toISOString().slice(0, 19).replace('T', ' ') : '–'
}

/** 12345.5 is 12,345.5. */
export function quantity(value: string | number): string {
  const [whole, fraction] = String(value).split('.')
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction ? `${grouped}.${fraction}` : grouped
}

export function plural(count: number, noun: string): string {
  return `${quantity(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** How far it is, where somebody watches; one line that is overwritten. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`)
}

/**
 * Asks before something is changed.
 * @throws UsageError where nobody can be asked and `--yes` was not given
 */
export async function confirmed(question: string, given: { yes: boolean }): Promise<boolean> {
  if (given.yes) return true
  if (!process.stdin.isTTY) throw new UsageError(`${question} Nobody can be asked here: say --yes to do it.`)
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const yes = /^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim())
    if (!yes) console.error('Nothing was changed.')
    return yes
  } finally {
    asking.close()
  }
}
