import type { Command } from 'commander'
import { MeterkitError } from '../errors.ts'
import type { EventDetail, EventFilter, EventRow, Page } from '../events/event.ts'
import { parseCursor } from '../events/list.ts'
import { refuseUnknown } from '../events/void.ts'
import { UsageError } from './outcome.ts'
import { confirmed, instant, json, plural, print, quantity, table } from './output.ts'
import { customerNamed, operator, type Tool, uuidNamed, wholeNumber, withTool } from './tool.ts'

const STATUSES = ['pending', 'processed', 'failed', 'late', 'void', 'free'] as const
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

interface ListOptions {
  status?: string
  customer?: string
  subscription?: string
  search?: string
  cursor?: string
  limit: string
  json: boolean
}

interface RetryOptions {
  error?: string
  all: boolean
  json: boolean
}

interface VoidOptions {
  reason: string
  by: string
  yes: boolean
  json: boolean
}

/** @returns the command, for what else belongs to events */
export function addEvents(program: Command): Command {
  const events = program.command('events').description('See and mend recorded events.')
  events
    .command('list')
    .description('Newest first.')
    .option('--status <status>', STATUSES.join(', '))
    .option('--customer <customer>', 'one customer: its name, its id, cus_…, organization:… or user:…')
    .option('--subscription <id>', 'one subscription')
    .option('--search <text>', "the beginning of an id, a key, a part of a customer's name or of an error")
    .option('--limit <count>', 'how many', '50')
    .option('--cursor <cursor>', 'from the page before')
    .option('--json', 'print the result as JSON', false)
    .action((options: ListOptions) => withTool({ stripe: false }, (tool) => list(tool, options)))
  events
    .command('show <id>')
    .description('One event, and what became of it.')
    .option('--json', 'print the result as JSON', false)
    .action((id: string, options: { json: boolean }) => withTool({ stripe: false }, (tool) => show(tool, id, options)))
  events
    .command('retry [ids...]')
    .description('Clear the errors of failed events, so that the next sync sends their usage again.')
    .option('--error <message>', 'all with exactly this error')
    .option('--all', 'all failed ones', false)
    .option('--json', 'print the result as JSON', false)
    .action((ids: string[], options: RetryOptions) => withTool({ stripe: false }, (tool) => retry(tool, ids, options)))
  events
    .command('void <ids...>')
    .description('Take events back. They stay in the table, with who and why.')
    .requiredOption('--reason <reason>', 'why; kept for ever')
    .option('--by <name>', 'who', operator())
    .option('-y, --yes', 'do not ask', false)
    .option('--json', 'print the result as JSON', false)
    .action((ids: string[], options: VoidOptions) => withTool({ stripe: false }, (tool) => take(tool, ids, options)))
  return events
}

async function list(tool: Tool, options: ListOptions): Promise<void> {
  const { status, subscription: subscriptionId, search, cursor } = options
  if (status !== undefined && !isStatus(status)) {
    throw new UsageError(`--status is ${JSON.stringify(status)}; it must be one of ${STATUSES.join(', ')}.`)
  }
  const customerId = await customerNamed(tool, options.customer)
  const filter: EventFilter = {
    limit: wholeNumber('--limit', options.limit),
    ...(status ? { status } : {}),
    ...(customerId ? { customerId } : {}),
    ...(subscriptionId ? { subscriptionId: uuidNamed('--subscription', subscriptionId) } : {}),
    ...(search ? { search } : {}),
    ...(cursor ? { cursor: cursorNamed(cursor) } : {}),
  }
  const page = await tool.meterkit.events.list(filter)
  print(options.json ? json(page) : describePage(page))
}

function cursorNamed(cursor: string): string {
  const { before, after } = parseCursor(cursor)
  if (before ?? after) return cursor
  throw new UsageError(`--cursor is ${JSON.stringify(cursor)}; take "next" or "previous" of an earlier answer.`)
}

function isStatus(status: string): status is (typeof STATUSES)[number] {
  return (STATUSES as readonly string[]).includes(status)
}

function describePage({ rows, next }: Page<EventRow>): string {
  if (rows.length === 0) return 'There are no such events.'
  const columns = ['Event', 'Customer', 'Meter', { name: 'Quantity', right: true }, 'Time (UTC)', 'Status', 'Error']
  const shown = rows.map((event) => [
    event.id,
    event.customerName,
    event.meter,
    quantity(event.quantity),
    instant(event.timestamp),
    event.late ? `${event.status}, late` : event.status,
    event.errorMessage ?? '',
  ])
  return [table(columns, shown), ...(next ? ['', `More: --cursor ${next}`] : [])].join('\n')
}

async function show({ meterkit }: Tool, id: string, options: { json: boolean }): Promise<void> {
  const event = await meterkit.events.get(id)
  if (!event) {
    const sentence = `there is no event ${JSON.stringify(id)}. Take the id from the list: meterkit events list --search <key>.`
    throw new MeterkitError('unknown_event', sentence, { field: 'id', value: id })
  }
  print(options.json ? json(event) : describeEvent(event))
}

function describeEvent(event: EventDetail): string {
  const facts: [string, string | null][] = [
    ['Event', event.id],
    ['Key', event.key],
    ['Customer', `${event.customerName} (${event.customerId})`],
    ['Subscription', event.subscriptionId],
    ['Usage', `${quantity(event.quantity)} on ${event.meter}`],
    ['Status', event.late ? `${event.status}, late` : event.status],
    ['Error', event.errorMessage],
    ['Report', event.reportId],
    ['Properties', event.properties && JSON.stringify(event.properties)],
  ]
  const told = facts.filter(([, value]) => value !== null).map(([name, value]) => `${name.padEnd(13)} ${value}`)
  const steps = event.steps.map(({ kind, at, detail }) => `${instant(at).padEnd(19)}  ${kind.padEnd(9)}  ${detail}`)
  return [...told, '', ...steps].join('\n')
}

async function retry(
  { meterkit, pool }: Tool,
  ids: string[],
  { error, all, json: asJson }: RetryOptions,
): Promise<void> {
  const ways = [ids.length > 0, error !== undefined, all].filter(Boolean).length
  if (ways !== 1) throw new UsageError('events retry takes one of: ids of events, --error <message>, --all.')
  checkIds(ids)
  await refuseUnknown('events retry', pool, ids)
  const cleared = await meterkit.events.retry(all ? 'all' : error === undefined ? { eventIds: ids } : { error })
  if (asJson) return print(json({ cleared }))
  print(
    cleared === 0
      ? 'There was no error to clear.'
      : `${plural(cleared, 'report')} cleared. The next sync sends their usage again, under new identifiers: meterkit sync`,
  )
}

async function take({ meterkit }: Tool, ids: string[], { reason, by, yes, json: asJson }: VoidOptions): Promise<void> {
  checkIds(ids)
  if (reason.trim() === '') throw new UsageError('--reason is empty; say why the usage is taken back.')
  const question = `Take back ${plural(ids.length, 'event')}? Usage that was reported leaves the open period, or is a difference on the next invoice.`
  if (!(await confirmed(question, { yes }))) return
  const voided = await meterkit.events.void(ids, { by, reason })
  print(asJson ? json({ voided }) : `${plural(voided, 'event')} void now${alreadyVoid(ids.length - voided)}.`)
}

function alreadyVoid(count: number): string {
  return count > 0 ? `; ${quantity(count)} were before` : ''
}

function checkIds(ids: readonly string[]): void {
  const wrong = ids.find((id) => !UUID.test(id))
  if (wrong !== undefined) throw new UsageError(`${JSON.stringify(wrong)} is no id of an event; take it from the list.`)
}
