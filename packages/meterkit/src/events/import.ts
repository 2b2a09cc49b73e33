import { createHash } from 'node:crypto'
import type { Pool } from 'pg'
import { customerId as idOfCustomer, subscriptionId as idOfSubscription } from '../customers/store.ts'
import type { Directory } from '../directory.ts'
import { type ErrorCode, MeterkitError } from '../errors.ts'
import { subscriptionsOf } from '../subscriptions/store.ts'
import type { EventInput, MeterEvent } from './event.ts'
import { newEventId } from './id.ts'
import { type ImportCost, importCosts } from './import-cost.ts'
import { type ImportFields, type ImportFormat, type ImportLine, importLines } from './import-lines.ts'
import { type EventImport, importOfContent, storeImport } from './import-store.ts'
import { knownKeys } from './store.ts'
import { isInCalendar, type MeterIndex, validEvent } from './validate.ts'

/** All are checked before the first is stored, and one transaction takes them. */
const EVENTS_MAX = 500_000
const ERRORS_SHOWN_MAX = 10_000
const KEYS_AT_ONCE = 5_000

export interface EventImportInput {
  /** The whole file, or its pieces as they are read. */
  content: string | AsyncIterable<string | Uint8Array>
  format: ImportFormat
  /** What people call it: the file's name. */
  name: string
  /** Who imports it. */
  by: string
  /** Checks everything and stores nothing. */
  dryRun?: boolean
}

export interface ImportError {
  /** Counted from 1. */
  line: number
  code: ErrorCode
  field: string | null
  message: string
}

export interface ImportResult {
  dryRun: boolean
  /** False for a dry run, with errors, and where the same content was imported before. */
  applied: boolean
  /** The batch that was stored, or the earlier one of the same content. */
  batch: EventImport | null
  alreadyImported: boolean
  /** Lines that hold an event. */
  lines: number
  /** New events: stored, or to be stored. */
  events: number
  /** Their ids were there already, in the database or earlier in the file; not counted again. */
  duplicates: number
  /** The first 10,000, by line. With any, nothing is stored. */
  errors: ImportError[]
  errorCount: number
  /** What the new events come to, per subscription and meter; the costs of a dry run only. */
  totals: ImportCost[]
}

export interface ImportContext {
  pool: Pool
  clock: () => Date
  directory: Directory
  meters: MeterIndex
}

/** An event with the line it stands on. */
interface LinedEvent {
  event: MeterEvent
  line: number
}

/**
 * Stores a file of events as one batch: all of it in one transaction, or, with any error, nothing. Each line is checked
 * as `recordEvent` checks its input. The same content is imported once.
 * @throws MeterkitError `import_too_large`; whatever is wrong with lines is in the result
 */
export async function importEvents(context: ImportContext, input: EventImportInput): Promise<ImportResult> {
  const { name, by, format, dryRun = false } = input
  const { events, digest, ...read } = await readAll(context, input)
  const earlier = await importOfContent(context.pool, digest)
  const { fresh, duplicates, errors: conflicts } = await withoutKnown(context.pool, events)
  const errors = [...read.errors, ...conflicts].sort((a, b) => a.line - b.line)
  const result: ImportResult = {
    dryRun,
    applied: false,
    batch: earlier,
    alreadyImported: earlier !== null,
    lines: read.lines,
    events: fresh.length,
    duplicates: read.duplicates + duplicates,
    errors: errors.slice(0, ERRORS_SHOWN_MAX),
    errorCount: read.errorCount + conflicts.length,
    totals: await importCosts(
      context,
      fresh.map(({ event }) => event),
      dryRun,
    ),
  }
  if (dryRun || earlier || result.errorCount > 0) return result
  const stored = await storeImport(
    context.pool,
    { name, by, format, digest, lines: read.lines },
    fresh.map(({ event }) => event),
  )
  return stored.isNew
    ? { ...result, applied: true, batch: stored.batch, events: stored.batch.events }
    : { ...result, batch: stored.batch, alreadyImported: true }
}

interface ReadFile {
  events: LinedEvent[]
  digest: string
  lines: number
  duplicates: number
  errors: ImportError[]
  errorCount: number
}

async function readAll(context: ImportContext, { content, format }: EventImportInput): Promise<ReadFile> {
  const hash = createHash('sha256')
  const lookUp = createLookUp(context)
  const seen = createSeen()
  const read: Omit<ReadFile, 'digest'> = { events: [], lines: 0, duplicates: 0, errors: [], errorCount: 0 }
  const note = (line: number, error: unknown) => {
    read.errorCount += 1
    if (read.errors.length < ERRORS_SHOWN_MAX) read.errors.push(importError(line, error))
  }
  for await (const entry of importLines(hashed(content, hash), format)) {
    if ('problem' in entry) {
      note(entry.line, problemError(entry))
      continue
    }
    read.lines += 1
    if (read.lines > EVENTS_MAX) refuseTooLarge()
    try {
      const event = await eventOf(context, lookUp, entry)
      if (seen(event, entry.line)) read.duplicates += 1
      else read.events.push({ event, line: entry.line })
    } catch (error) {
      if (!(error instanceof MeterkitError)) throw error
      note(entry.line, error)
    }
  }
  return { ...read, digest: hash.digest('hex') }
}

async function* hashed(
  content: EventImportInput['content'],
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<string | Uint8Array> {
  if (typeof content === 'string') {
    hash.update(content)
    yield content
    return
  }
  for await (const chunk of content) {
    hash.update(chunk)
    yield chunk
  }
}

function refuseTooLarge(): never {
  const sentence = `events.import: the file has more than ${EVENTS_MAX} events, and one batch is one transaction. Split it.`
  throw new MeterkitError('import_too_large', sentence, { field: 'content' })
}

function problemError({ problem }: { problem: string }): MeterkitError {
  return new MeterkitError('invalid_import', `events.import: ${problem}.`, { field: 'content' })
}

function importError(line: number, error: unknown): ImportError {
  const { code, field, message } = error as MeterkitError
  return { line, code, field: field ?? null, message: message.replace(/^(recordEvent|events\.import): /, '') }
}

type LookUp = (customerId: string) => Promise<string | undefined>

/** The subscription of a customer where a line names none: the live one, else the latest. */
function createLookUp({ pool }: ImportContext): LookUp {
  const found = new Map<string, Promise<string | undefined>>()
  return (customerId) => {
    const known = found.get(customerId) ?? subscriptionsOf(pool, [customerId]).then(([first]) => first?.id)
    found.set(customerId, known)
    return known
  }
}

async function eventOf(context: ImportContext, lookUp: LookUp, { fields }: ImportLine): Promise<MeterEvent> {
  const { directory, meters, clock } = context
  const customerId = customerOf(directory, fields)
  const input = {
    ...(fields.meter === undefined ? {} : { meter: fields.meter }),
    ...(fields.meterId === undefined ? {} : { meterId: fields.meterId }),
    customerId,
    subscriptionId: await subscriptionOf(directory, lookUp, customerId, fields.subscriptionId),
    ...(fields.quantity === undefined ? {} : { quantity: fields.quantity }),
    ...(fields.timestamp === undefined ? {} : { timestamp: instantOf(fields.timestamp) }),
    ...(fields.id === undefined ? {} : { id: fields.id }),
    ...(fields.properties === undefined ? {} : { properties: fields.properties }),
  } as EventInput
  return validEvent({ meters, directory, now: clock().getTime(), newId: newEventId }, input)
}

function customerOf(directory: Directory, { customerId, source, sourceId }: ImportFields): unknown {
  if (source === undefined && sourceId === undefined) return customerId
  if ((source !== 'user' && source !== 'organization') || typeof sourceId !== 'string') {
    const sentence = `recordEvent: source ${JSON.stringify(source)} with sourceId ${JSON.stringify(sourceId)} names no customer: source is user or organization, sourceId a text.`
    throw new MeterkitError('unknown_customer', sentence, { field: 'source', value: source })
  }
  const id = idOfCustomer(source, sourceId)
  if (!directory.hasCustomer(id)) {
    const sentence = `recordEvent: ${source} with sourceId ${JSON.stringify(sourceId)} is not a customer here. sourceId is the id that customers.ensure(…) was given.`
    throw new MeterkitError('unknown_customer', sentence, { field: 'sourceId', value: sourceId })
  }
  if (customerId === undefined || customerId === id) return id
  const sentence = `recordEvent: customerId ${JSON.stringify(customerId)} is another customer than ${source} ${sourceId}. Give one of the two.`
  throw new MeterkitError('unknown_customer', sentence, { field: 'customerId', value: customerId })
}

/** Ours, Stripe's `sub_…`, or none. */
async function subscriptionOf(
  directory: Directory,
  lookUp: LookUp,
  customerId: unknown,
  given: unknown,
): Promise<unknown> {
  if (typeof given === 'string' && given.startsWith('sub_')) return idOfSubscription(given)
  if (given !== undefined || typeof customerId !== 'string' || !directory.hasCustomer(customerId)) return given
  return lookUp(customerId)
}

const INSTANT = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2}))?$/

/** Without a zone an hour would mean another one on each machine. */
function instantOf(timestamp: unknown): Date {
  const at = typeof timestamp === 'string' && INSTANT.test(timestamp) ? new Date(timestamp.replace(' ', 'T')) : null
  if (at && !Number.isNaN(at.getTime()) && isInCalendar(String(timestamp))) return at
  const sentence = `recordEvent: timestamp ${JSON.stringify(timestamp)} must be an instant with its zone, such as 2026-11-24T10:00:00Z.`
  throw new MeterkitError('invalid_timestamp', sentence, { field: 'timestamp', value: timestamp })
}

/** Whether a line repeats an earlier one of the file by its id. @throws MeterkitError `event_conflict` where its content differs */
function createSeen(): (event: MeterEvent, line: number) => boolean {
  const lines = new Map<string, { line: number; content: string }>()
  return (event, line) => {
    if (event.key === null) return false
    const name = `${event.customerId} ${event.key}`
    const content = JSON.stringify([event.subscriptionId, event.meterId, event.quantity, event.properties])
    const first = lines.get(name)
    if (!first) lines.set(name, { line, content })
    if (!first || first.content === content) return first !== undefined
    throw conflict(event.key, `on line ${first.line}`)
  }
}

function conflict(key: string, where: string): MeterkitError {
  const sentence = `events.import: the id ${JSON.stringify(key)} was used ${where} with another content. An id stands for one event, forever.`
  return new MeterkitError('event_conflict', sentence, { field: 'id', value: key })
}

/** Takes out what the database has already, by its id. */
async function withoutKnown(
  pool: Pool,
  events: readonly LinedEvent[],
): Promise<{ fresh: LinedEvent[]; duplicates: number; errors: ImportError[] }> {
  const keyed = events.filter(({ event }) => event.key !== null)
  const known = new Map<string, { storedId: string; conflicts: boolean }>()
  for (let at = 0; at < keyed.length; at += KEYS_AT_ONCE) {
    const piece = keyed.slice(at, at + KEYS_AT_ONCE).map(({ event }) => event)
    for (const { id, ...stored } of await knownKeys(pool, piece)) known.set(id, stored)
  }
  const conflicting = keyed.filter(({ event }) => known.get(event.id)?.conflicts)
  return {
    fresh: events.filter(({ event }) => !known.has(event.id)),
    duplicates: known.size - conflicting.length,
    errors: conflicting.map(({ event, line }) =>
      importError(line, conflict(event.key!, `before, for event ${known.get(event.id)!.storedId},`)),
    ),
  }
}
