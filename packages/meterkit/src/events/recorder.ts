import type { Pool } from 'pg'
import { MeterkitError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { traced } from '../tracing.ts'
import type { MeterEvent } from './event.ts'
import type { Block, Journal } from './journal.ts'
import { storeBatch } from './store.ts'

/*
 * From `recordEvent` to PostgreSQL, without ever making the caller wait.
 *
 *   open group ──(disk free)──▶ journal: one write, one sync ──▶ durable ──(database free)──▶ batch ──▶ stored
 *
 * Events gather in a group while the disk is busy with the group before; all of a group share one `durable` promise.
 * Durable groups wait for the database. Those in memory are bounded: past the bound they are read back from the journal
 * when their turn comes, so that an hour without a database costs disk, not memory. Without a journal a group is durable
 * once it is stored.
 */

const GROUP_EVENTS_MAX = 10_000
/** The more, the fewer rollups are touched for each; past this the database takes them no faster. */
const BATCH_EVENTS_MAX = 10_000
/** Batches under way at once. Two use a second core of the database; more only wait for each other. */
const WRITERS = 2
/** Not yet durable: the disk, or without a journal the database, is this far behind. */
const UNDURABLE_EVENTS_MAX = 200_000
/** Durable and kept in memory besides. */
const WAITING_EVENTS_IN_MEMORY_MAX = 50_000
const STOPPED = 'Meterkit stopped before this event could be made durable'
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 5_000

export interface Recorder {
  /** @throws MeterkitError `journal_full`; the event is not recorded then */
  record: (event: MeterEvent) => Promise<void>
  /** Resolves once all that was recorded so far is in the database. */
  drained: () => Promise<void>
  pipeline: () => {
    recorded: number
    durable: number
    stored: number
    duplicates: number
    setAside: number
    journalBytes: number
  }
  /** Makes everything durable and gives the database `drainMs` to take what it can. */
  stop: (drainMs: number) => Promise<void>
}

interface Group {
  events: MeterEvent[]
  durable: PromiseWithResolvers<void>
  stored: PromiseWithResolvers<void>
}

/** Durable, not yet stored. `events` is null where they are to be read back. */
interface Waiting {
  events: MeterEvent[] | null
  count: number
  block: Block | null
  stored: PromiseWithResolvers<void>
  /** Resolved with `stored` where there is no journal. */
  durable: PromiseWithResolvers<void> | null
}

export function createRecorder({
  pool,
  journal,
  journalBytesMax,
  log,
}: {
  pool: Pool
  journal: Journal | null
  journalBytesMax: number
  log: Logger
}): Recorder {
  const totals = { recorded: 0, durable: 0, stored: 0, duplicates: 0, setAside: 0 }
  const groups: Group[] = []
  const waiting: Waiting[] = []
  /** One promise for each group on its way, and for each block an earlier run left. */
  const underWay = new Set<Promise<void>>()
  let undurable = 0
  let inMemory = 0
  let writing = false
  let storing = 0
  let stopped = false
  const sleepers = new Set<() => void>()

  for (const block of journal?.backlog ?? []) {
    waiting.push({ events: null, count: block.events, block, stored: onTheWay(), durable: null })
  }
  if (waiting.length > 0) setImmediate(store)

  function record(event: MeterEvent): Promise<void> {
    if (undurable >= UNDURABLE_EVENTS_MAX || (journal !== null && journal.bytes() >= journalBytesMax)) refuseFull()
    let group = groups.at(-1)
    if (!group || group.events.length >= GROUP_EVENTS_MAX) {
      group = { events: [], durable: deferred(), stored: onTheWay() }
      groups.push(group)
      if (!writing) {
        writing = true
        setImmediate(writeGroups)
      }
    }
    group.events.push(event)
    undurable += 1
    totals.recorded += 1
    return group.durable.promise
  }

  function refuseFull(): never {
    const bytes = journal?.bytes() ?? 0
    const cause = journal
      ? `${bytes} bytes wait in the journal (limit ${journalBytesMax}) and ${undurable} events for the disk`
      : `${undurable} events wait for the database`
    throw new MeterkitError(
      'journal_full',
      `recordEvent: ${cause}. Nothing accepted so far is lost; bring the database or disk back, or raise the limit.`,
      { field: 'journal.maxBytes', value: journalBytesMax },
    )
  }

  /** The only writer of the journal: whatever gathers during one sync goes out with the next. */
  async function writeGroups(): Promise<void> {
    // Taken out of the list first: an event that joined a group already being written would be promised and not written.
    for (let group = groups.shift(); group; group = groups.shift()) await writeGroup(group)
    writing = false
  }

  /** Tries until the disk has the group. */
  async function writeGroup({ events, durable: promise, stored }: Group): Promise<void> {
    for (let retryMs = RETRY_MS_MIN; ; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
      try {
        const block = journal ? await appended(journal, events) : null
        if (block) durable(promise, events.length)
        enqueue({ events, count: events.length, block, stored, durable: block ? null : promise })
        return
      } catch (error) {
        const facts = { error: (error as Error).message, events: undurable }
        log.error(facts, 'the journal cannot be written; trying again, nothing is lost yet')
        await pause(retryMs)
        if (stopped) return promise.reject(new Error(STOPPED))
      }
    }
  }

  function durable({ resolve }: PromiseWithResolvers<void>, events: number): void {
    undurable -= events
    totals.durable += events
    resolve()
  }

  function enqueue(item: Waiting): void {
    if (item.block && inMemory + item.count > WAITING_EVENTS_IN_MEMORY_MAX) item.events = null
    else inMemory += item.count
    waiting.push(item)
    store()
  }

  function store(): void {
    while (storing < WRITERS && waiting.length > 0 && !stopped) {
      storing += 1
      storeNext(nextBatch()).finally(() => {
        storing -= 1
        store()
      })
    }
  }

  function nextBatch(): Waiting[] {
    let count = 0
    let taken = 0
    while (taken < waiting.length && (taken === 0 || count + waiting[taken]!.count <= BATCH_EVENTS_MAX)) {
      count += waiting[taken]!.count
      taken += 1
    }
    return waiting.splice(0, taken)
  }

  /** Tries until the database has the batch; a stop leaves it to the journal. */
  async function storeNext(batch: Waiting[]): Promise<void> {
    for (let retryMs = RETRY_MS_MIN; ; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
      try {
        const events: MeterEvent[] = []
        for (const item of batch) events.push(...(item.events ?? (await journal!.read(item.block!))))
        const result = await traced('meterkit ingest', { 'meterkit.events': events.length }, async (span) => {
          const outcome = await storeBatch(pool, events, log)
          span.setAttributes({ 'meterkit.stored': outcome.stored, 'meterkit.set_aside': outcome.setAside })
          return outcome
        })
        totals.stored += result.stored
        totals.setAside += result.setAside
        totals.duplicates += events.length - result.stored - result.setAside
        break
      } catch (error) {
        if (!stopped) {
          log.warn(
            { error: (error as Error).message },
            'the database does not take events now; they wait in the journal',
          )
          await pause(retryMs)
        }
        if (stopped) {
          for (const { durable: promise } of batch) promise?.reject(new Error(STOPPED))
          waiting.unshift(...batch)
          return
        }
      }
    }
    for (const item of batch) {
      if (item.events) inMemory -= item.count
      if (item.durable) durable(item.durable, item.count)
      if (item.block) await journal!.done(item.block)
      item.stored.resolve()
    }
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        sleepers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      sleepers.add(wake)
    })
  }

  function onTheWay(): PromiseWithResolvers<void> {
    const stored = deferred()
    underWay.add(stored.promise)
    stored.promise.finally(() => underWay.delete(stored.promise))
    return stored
  }

  async function drained(): Promise<void> {
    await Promise.all(underWay)
  }

  return {
    record,
    drained,
    pipeline: () => ({ ...totals, journalBytes: journal?.bytes() ?? 0 }),
    stop: async (drainMs) => {
      let timer: NodeJS.Timeout | undefined
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, drainMs)
      })
      await Promise.race([drained(), patience])
      clearTimeout(timer)
      stopped = true
      for (const wake of [...sleepers]) wake()
      while (storing > 0 || writing) await new Promise((resolve) => setTimeout(resolve, 5))
      await journal?.close()
    },
  }
}

function appended(journal: Journal, events: MeterEvent[]): Promise<Block> {
  return traced('meterkit record flush', { 'meterkit.events': events.length }, async (span) => {
    const block = await journal.append(events)
    span.setAttributes({ 'meterkit.journal.file': block.file, 'meterkit.bytes': block.length })
    return block
  })
}

/** Callers need not look at `durable`; a rejection nobody awaits must not end their process. */
function deferred(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>()
  made.promise.catch(() => {})
  return made
}
