import path from 'node:path'
import type { Command } from 'commander'
import { type JournalStatus, journalStatus } from '../events/journal-status.ts'
import { notWell } from './outcome.ts'
import { json, plural, print, quantity, table } from './output.ts'
import { readSettings } from './settings.ts'

export function addJournal(program: Command): void {
  program
    .command('journal')
    .description('Look at the journal of events on their way into the database.')
    .command('status')
    .description('Who holds it, its files, what is not in the database yet, and what is damaged. Changes nothing.')
    .option('--directory <directory>', "default: METERKIT_JOURNAL, or the app's")
    .option('--json', 'print the result as JSON', false)
    .action(async ({ directory, json: asJson }: { directory?: string; json: boolean }) => {
      const status = await journalStatus(directory ? path.resolve(directory) : readSettings().journalDirectory)
      print(asJson ? json(status) : describe(status))
      if (status.damaged.length > 0 || !status.exists) notWell()
    })
}

function describe(status: JournalStatus): string {
  const { directory, exists, heldBy, files, outstanding, damaged, unfinished, setApart } = status
  if (!exists) return `✗ There is no journal in ${directory}.`
  const holder = heldBy ? `held by process ${heldBy.pid ?? '(it does not tell)'}` : 'held by nobody'
  const waits = `${plural(outstanding.events, 'event')} (${quantity(outstanding.bytes)} bytes) not known to be in the database`
  const right = { right: true }
  return [
    `Journal in ${directory}, ${holder}: ${waits}.`,
    ...(files.length > 0
      ? ['', table(['File', { name: 'Bytes', ...right }, { name: 'Outstanding', ...right }], files.map(fileRow)), '']
      : []),
    ...damaged.map(({ file, offset, bytes }) => `✗ A damaged record of ${bytes} bytes in ${file} at offset ${offset}.`),
    ...(unfinished
      ? [`A last record without its end in ${unfinished.file} at offset ${unfinished.offset}${unfinishedWhy(status)}.`]
      : []),
    ...(setApart.length > 0
      ? [`${plural(setApart.length, 'damaged record')} of earlier in ${path.join(directory, 'damaged')}.`]
      : []),
    ...(heldBy === null && outstanding.events > 0 ? ['The next start of the app brings them into the database.'] : []),
  ].join('\n')
}

function fileRow({ path: file, bytes, outstanding }: JournalStatus['files'][number]): string[] {
  return [path.basename(file), quantity(bytes), quantity(outstanding)]
}

function unfinishedWhy({ heldBy }: JournalStatus): string {
  return heldBy ? ': it is being written' : ': torn by a crash before its promise had resolved'
}
