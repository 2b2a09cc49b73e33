import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import type { Properties } from './event.ts'

export type ImportFormat = 'csv' | 'jsonl'

/** What stands on one line, by the names of `recordEvent`'s input; not checked yet but for the names. */
export interface ImportLine {
  /** Counted from 1; of an entry over several lines the last. */
  line: number
  fields: ImportFields
}

export interface ImportFields {
  meter?: unknown
  meterId?: unknown
  customerId?: unknown
  /** Instead of `customerId`: `user` or `organization`, and their id there. */
  source?: unknown
  sourceId?: unknown
  subscriptionId?: unknown
  quantity?: unknown
  timestamp?: unknown
  id?: unknown
  properties?: Properties
}

/** A line that cannot be read, or a header that names what nobody knows. */
export interface LineProblem {
  line: number
  problem: string
}

const NAMES = ['meter', 'meterId', 'customerId', 'source', 'sourceId', 'subscriptionId', 'quantity', 'timestamp', 'id']
const PROPERTY = /^properties\.(.+)$/

/** The lines of a file, one at a time, in whatever pieces its content arrives. */
export async function* importLines(
  content: AsyncIterable<string | Uint8Array>,
  format: ImportFormat,
): AsyncGenerator<ImportLine | LineProblem> {
  yield* format === 'csv' ? csvLines(content) : jsonLines(content)
}

async function* csvLines(content: AsyncIterable<string | Uint8Array>): AsyncGenerator<ImportLine | LineProblem> {
  const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true } as const
  const parser = parse(options)
  const feeding = pipeline(content, parser)
  feeding.catch(() => {}) // whoever reads the parser meets it, or has stopped reading
  let header: string[] | null = null
  try {
    for await (const entry of parser) {
      const { record, info } = entry as { record: string[]; info: { lines: number } }
      const { lines: line } = info
      if (header) {
        yield record.length === header.length
          ? { line, fields: csvFields(header, record) }
          : { line, problem: `it has ${record.length} values, and the header has ${header.length} names` }
        continue
      }
      header = record
      const problems = headerProblems(header)
      for (const problem of problems) yield { line, problem }
      if (problems.length > 0) return
    }
    await feeding
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const { message, lines } = error as CsvError & { lines?: number }
    yield { line: lines ?? 1, problem: `it is no CSV from here on: ${message}` }
    return
  }
  if (!header) yield { line: 1, problem: 'the file is empty: its first line must name the columns' }
}

function headerProblems(header: readonly string[]): string[] {
  const unknown = header.filter((name) => !NAMES.includes(name) && !PROPERTY.test(name))
  const repeated = header.filter((name, index) => header.indexOf(name) !== index)
  return [
    ...unknown.map(
      (name) => `there is no column ${JSON.stringify(name)}${hint(name)}. Columns: ${NAMES.join(', ')}, properties.…`,
    ),
    ...repeated.map((name) => `the column ${JSON.stringify(name)} is there twice`),
  ]
}

function hint(name: string): string {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z]/g, '')
  const meant = NAMES.find((known) => plain(known) === plain(name))
  return meant ? `; did you mean ${meant}?` : ''
}

/** An empty cell is a value left out. */
function csvFields(header: readonly string[], record: readonly string[]): ImportFields {
  const fields: Record<string, unknown> = {}
  const properties: Properties = {}
  for (const [index, name] of header.entries()) {
    const value = record[index]!
    if (value === '') continue
    const property = PROPERTY.exec(name)
    if (property) properties[property[1]!] = value
    else fields[name] = name === 'meterId' ? Number(value) : value
  }
  return Object.keys(properties).length > 0 ? { ...fields, properties } : fields
}

async function* jsonLines(content: AsyncIterable<string | Uint8Array>): AsyncGenerator<ImportLine | LineProblem> {
  let line = 0
  for await (const text of textLines(content)) {
    line += 1
    if (text.trim() !== '') yield jsonLine(line, text)
  }
}

async function* textLines(content: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  for await (const chunk of content) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop()!
    yield* lines
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

function jsonLine(line: number, text: string): ImportLine | LineProblem {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return { line, problem: `it is no JSON: ${(error as Error).message}` }
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    return { line, problem: 'it must be an object such as {"meter":"ai_tokens","customerId":"…","quantity":12}' }
  }
  const fields: Record<string, unknown> = {}
  const properties: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(parsed)) {
    const property = PROPERTY.exec(name)
    if (property) properties[property[1]!] = value
    else if (name === 'properties' && typeof value === 'object' && !Array.isArray(value))
      Object.assign(properties, value)
    else if (name === 'properties') return { line, problem: 'properties must be an object such as {"model":"demo"}' }
    else if (NAMES.includes(name)) fields[name] = value
    else
      return {
        line,
        problem: `there is no key ${JSON.stringify(name)}${hint(name)}. Keys: ${NAMES.join(', ')}, properties`,
      }
  }
  // their values are checked with the rest
  return {
    line,
    fields: Object.keys(properties).length > 0 ? { ...fields, properties: properties as Properties } : fields,
  }
}
