import { createReadStream, existsSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import type { ImportResult } from '../events/import.ts'
import type { ImportFormat } from '../events/import-lines.ts'
import type { EventImport } from '../events/import-store.ts'
import { formatAmount } from '../pricing/describe.ts'
import { notWell, UsageError } from './outcome.ts'
import { confirmed, instant, json, plural, print, quantity, table } from './output.ts'
import { operator, type Tool, wholeNumber, withTool } from './tool.ts'

const ERRORS_SHOWN_MAX = 50

interface ImportOptions {
  format?: string
  dryRun: boolean
  by: string
  yes: boolean
  json: boolean
}

interface RevertOptions {
  reason: string
  by: string
  yes: boolean
  json: boolean
}

export function addImports(events: Command): void {
  events
    .command('import <file>')
    .description('Record the events of a CSV file or of JSON lines, as one batch that can be taken back.')
    .option('--format <format>', 'csv or jsonl; default: by the end of its name')
    .option('-n, --dry-run', 'check every line and tell what would be stored, change nothing', false)
    .option('--by <name>', 'who', operator())
    .option('-y, --yes', 'do not ask', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Columns, or keys: meter or meterId; customerId, or source (organization, user) and sourceId; subscriptionId (ours, Stripe's
sub_…, or none for the customer's own); quantity; timestamp (2026-11-24T10:00:00Z); id; properties.<name>.`,
    )
    .action((file: string, options: ImportOptions) =>
      withTool({ stripe: false }, (tool) => importFile(tool, file, options)),
    )
  events
    .command('imports')
    .description('The batches that were imported, newest first.')
    .option('--limit <count>', 'how many', '50')
    .option('--json', 'print the result as JSON', false)
    .action((options: { limit: string; json: boolean }) =>
      withTool({ stripe: false }, async ({ meterkit }) => {
        const imports = await meterkit.events.imports(wholeNumber('--limit', options.limit))
        print(options.json ? json(imports) : describeImports(imports))
      }),
    )
  events
    .command('revert <import>')
    .description('Take back all events of an imported batch.')
    .requiredOption('--reason <reason>', 'why; kept for ever')
    .option('--by <name>', 'who', operator())
    .option('-y, --yes', 'do not ask', false)
    .option('--json', 'print the result as JSON', false)
    .action((id: string, options: RevertOptions) => withTool({ stripe: false }, (tool) => revert(tool, id, options)))
}

/** Checked first, so that one knows what one says yes to. */
async function importFile({ meterkit }: Tool, file: string, options: ImportOptions): Promise<void> {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}.`)
  const read = (dryRun: boolean) =>
    meterkit.events.import({
      content: createReadStream(file),
      format: formatOf(file, options.format),
      name: path.basename(file),
      by: options.by,
      dryRun,
    })
  const checked = await read(true)
  const ready = !options.dryRun && checked.errorCount === 0 && !checked.alreadyImported && checked.events > 0
  if (!options.json) print(describe(checked))
  if (!ready) {
    if (options.json) print(json({ ...checked, dryRun: options.dryRun }))
    if (checked.errorCount > 0) notWell()
    return
  }
  if (!(await confirmed(`Store ${plural(checked.events, 'event')}?`, { yes: options.yes }))) return
  const result = await read(false)
  if (options.json) print(json(result))
  else if (result.applied)
    print(
      `✓ Stored as import ${result.batch!.id}. To take it back: meterkit events revert ${result.batch!.id} --reason …`,
    )
  else print(describe(result))
  if (result.errorCount > 0) notWell()
}

function formatOf(file: string, given: string | undefined): ImportFormat {
  const format = given ?? (/\.csv$/i.test(file) ? 'csv' : /\.(jsonl|ndjson)$/i.test(file) ? 'jsonl' : undefined)
  if (format === 'csv' || format === 'jsonl') return format
  if (given) throw new UsageError(`--format is ${JSON.stringify(given)}; it must be csv or jsonl.`)
  throw new UsageError(`the name ${path.basename(file)} does not tell the format; say --format csv or --format jsonl.`)
}

function describe(result: ImportResult): string {
  const { lines, events, duplicates, errors, errorCount, batch, dryRun } = result
  if (result.alreadyImported) {
    return `This content was imported before, as ${batch!.id} (${batch!.name}, ${instant(batch!.importedAt)}, by ${batch!.by}). Nothing was stored again.`
  }
  if (errorCount > 0) {
    return [
      ...errors.slice(0, ERRORS_SHOWN_MAX).map(({ line, message }) => `line ${line}: ${message}`),
      ...(errorCount > ERRORS_SHOWN_MAX ? [`… and ${quantity(errorCount - ERRORS_SHOWN_MAX)} more (--json)`] : []),
      '',
      `✗ ${plural(errorCount, 'line')} cannot be stored. Nothing was stored: correct them, or take them out.`,
    ].join('\n')
  }
  const known = duplicates > 0 ? ` ${plural(duplicates, 'event')} of it are there already and do not count again.` : ''
  const end = dryRun ? `${plural(events, 'new event')} in ${plural(lines, 'line')}.${known}` : ''
  return [...(result.totals.length > 0 ? [describeTotals(result), ''] : []), end].join('\n')
}

function describeTotals({ totals }: ImportResult): string {
  const right = { right: true }
  const columns = [
    'Subscription',
    'Meter',
    { name: 'Events', ...right },
    { name: 'Quantity', ...right },
    { name: 'Adds', ...right },
  ]
  const rows = totals
    .slice(0, ERRORS_SHOWN_MAX)
    .map((total) => [
      total.subscriptionId,
      total.meter,
      quantity(total.events),
      quantity(total.quantity),
      total.amount === null ? '' : formatAmount(total.amount, total.currency!),
      total.elsewhere > 0 ? `${plural(total.elsewhere, 'event')} outside the open period: billed late, or free` : '',
    ])
  const more =
    totals.length > rows.length ? [`… and ${plural(totals.length - rows.length, 'subscription')} more (--json)`] : []
  return [table([...columns, ''], rows), ...more].join('\n')
}

function describeImports(imports: readonly EventImport[]): string {
  if (imports.length === 0) return 'Nothing was imported yet.'
  const rows = imports.map((each) => [
    each.id,
    each.name,
    instant(each.importedAt),
    each.by,
    quantity(each.events),
    each.revertedAt ? `taken back by ${each.revertedBy}: ${each.revertReason}` : 'stored',
  ])
  return table(['Import', 'File', 'At (UTC)', 'By', { name: 'Events', right: true }, 'State'], rows)
}

async function revert({ meterkit }: Tool, id: string, { reason, by, yes, json: asJson }: RevertOptions): Promise<void> {
  if (reason.trim() === '') throw new UsageError('--reason is empty; say why the batch is taken back.')
  const batch = (await meterkit.events.imports(100_000)).find((each) => each.id === id)
  const what = batch ? `all ${plural(batch.events, 'event')} of ${batch.name}` : `import ${id}`
  if (batch && !(await confirmed(`Take back ${what}?`, { yes }))) return
  const voided = await meterkit.events.revertImport(id, { by, reason })
  print(asJson ? json({ voided }) : `${plural(voided, 'event')} void now.`)
}
