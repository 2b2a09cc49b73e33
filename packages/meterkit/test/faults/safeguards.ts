import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startTestPostgres } from 'local-postgres/testing'

/*
 * A test that cannot fail proves nothing. Each safeguard is taken out of a copy of the engine in turn, and the test that
 * stands for its promise must notice. On the copy as it is, the same test must pass.
 */

interface Safeguard {
  /** The fault, as the promise names it. */
  row: string
  /** What is taken out. */
  safeguard: string
  /** Within `src`. */
  file: string
  text: string
  replacement: string
  /** Which tests must notice: a file within `src`, and part of their names. */
  test: readonly [file: string, name: string]
}

const FAULTS = 'faults.test.ts'

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: it is the source */
const SAFEGUARDS: readonly Safeguard[] = [
  {
    row: 'kill -9 of the recording process',
    safeguard: 'durable resolves only once the journal has the events',
    file: 'events/recorder.ts',
    text: '        const block = journal ? await appended(journal, events) : null\n',
    replacement:
      '        if (journal) durable(promise, events.length)\n        const block = journal ? await appended(journal, events) : null\n',
    test: [FAULTS, 'kill -9 again and again'],
  },
  {
    row: 'kill -9 of the recording process',
    safeguard: 'a journal that is offered again is known by its ids',
    file: 'events/store.ts',
    text: "if (isRepeat(error) && ids === 'new') return storeBatch(pool, events, log, 'any')",
    replacement: 'void isRepeat',
    test: [FAULTS, 'kill -9 again and again'],
  },
  {
    row: 'PostgreSQL stopped',
    safeguard: 'a batch the database does not take is tried again',
    file: 'events/recorder.ts',
    text: '        if (!stopped) {\n          log.warn(',
    replacement: '        if (!stopped) break\n        if (!stopped) {\n          log.warn(',
    test: [FAULTS, 'PostgreSQL away for 5 s'],
  },
  {
    row: 'PostgreSQL killed while it greets',
    safeguard: 'the loss of a connection is heard from its first moment',
    file: 'database/database.ts',
    text: "      client.on('error', lost)\n      resolve(client)",
    replacement: '      resolve(client)',
    test: ['database/database.test.ts', 'dies while it greets'],
  },
  {
    row: 'PostgreSQL killed during a batch',
    safeguard: 'a connection lost while writing is no fault of the events',
    file: 'database/database.ts',
    text: "if (typeof code !== 'string' || typeof severity !== 'string') return true",
    replacement: "if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || severity === null) return true",
    test: ['database/database.test.ts', 'trying again may help where the connection'],
  },
  {
    row: 'journal: torn last record',
    safeguard: 'the torn tail is cut and told',
    file: 'events/journal.ts',
    text: 'if (end === -1 && newest) {',
    replacement: 'if (end === -1 && newest) break\n    if (end === -1 && newest) {',
    test: ['events/journal.test.ts', 'a torn tail'],
  },
  {
    row: 'journal: flipped byte',
    safeguard: 'the checksum of a record',
    file: 'events/journal-format.ts',
    text: '  if (record.slice(0, 8) !== checksum(json)) return null\n',
    replacement: '  if (!json.startsWith("[")) return null\n',
    test: ['events/journal.test.ts', 'any flipped byte'],
  },
  {
    row: 'journal: empty file',
    safeguard: 'nothing is searched for in it',
    file: 'events/journal.ts',
    text: '  while (position < bytes.length) {\n    const end',
    replacement: '  while (position <= bytes.length) {\n    const end',
    test: ['events/journal.test.ts', 'an empty file is no damage'],
  },
  {
    row: 'journal: unwritable directory',
    safeguard: 'the directory is tried before anything is promised',
    file: 'events/journal.ts',
    text: '  try {\n    await mkdir(directory, { recursive: true })\n',
    replacement: '  try {\n    return\n    await mkdir(directory, { recursive: true })\n',
    test: ['events/journal.test.ts', 'cannot be written'],
  },
  {
    row: 'journal: full disk',
    safeguard: 'what the disk does not take is tried again',
    file: 'events/recorder.ts',
    text: '        await pause(retryMs)\n        if (stopped) return promise.reject(',
    replacement: '        stored.resolve()\n        if (retryMs > 0) return promise.reject(',
    test: [FAULTS, 'a full disk'],
  },
  {
    row: 'journal: two processes, one directory',
    safeguard: 'the lock of the directory',
    file: 'events/journal.ts',
    text: '  const lock = await lockJournal(directory)\n',
    replacement: '  const lock = { release: async () => {} }\n',
    test: [FAULTS, 'a second process is refused'],
  },
  {
    row: 'kill -9 of the worker before a report is written',
    safeguard: 'the report and what is noted as reported are one transaction',
    file: 'reports/write.ts',
    text: '  return transaction(pool, async (client) => {\n    await lockSegmentsShared(client)\n    const {',
    replacement:
      '  return (async (work: (client: PoolClient) => Promise<number>) => work(pool as never))(async (client) => {\n    const {',
    test: [FAULTS, 'a worker killed while a report is written: another counts its usage once, 1 minutes'],
  },
  {
    row: 'kill -9 of the worker after Stripe accepted',
    safeguard: 'a report is sent again under the identifier it was written with',
    file: 'reports/submit.ts',
    text: '  const event = { identifier: report.identifier, event_name',
    replacement: '  const event = { identifier: `${report.identifier}-${report.attempts}`, event_name',
    test: [FAULTS, 'a worker killed after Stripe accepted it: another counts its usage once, 1 minutes'],
  },
  {
    row: 'ten workers at the same time',
    safeguard: 'one worker at a time for a customer',
    file: 'reports/lock.ts',
    text: '    return rows[0]!.locked ? thenUnlock(client, customerId, work) : null\n',
    replacement: '    return rows[0] ? thenUnlock(client, customerId, work) : null\n',
    test: [FAULTS, 'ten workers in three processes'],
  },
  {
    row: 'Stripe answers timeouts and 5xx after having accepted',
    safeguard: 'a known identifier means delivered',
    file: 'reports/submit.ts',
    text: '  if (isAlreadyDelivered(error)) {',
    replacement: '  if (isAlreadyDelivered(error) && !pool) {',
    test: ['reports/sync.test.ts', '500 and 409 after the work was done'],
  },
  {
    row: 'an unconfirmed report older than 24 h',
    safeguard: 'the summaries are read before anything is sent',
    file: 'reports/submit.ts',
    text: '  const forgotten = () => attempted && ageMs(report, clock()) > IDENTIFIER_TRUST_MS\n',
    replacement: '  const forgotten = () => attempted && pool === null\n',
    test: [FAULTS, 'a worker killed after Stripe accepted it: another counts its usage once, 1800 minutes'],
  },
  {
    row: 'permanent rejection, synchronous',
    safeguard: "the report is failed with Stripe's message",
    file: 'reports/submit.ts',
    text: '  if (isPermanent(error)) {',
    replacement: '  if (isPermanent(error) && !pool) {',
    test: ['billing.test.ts', 'a permanent refusal shows Stripe own words'],
  },
  {
    row: 'permanent rejection, by webhook',
    safeguard: 'an accepted report that Stripe refuses later is failed',
    file: 'webhooks/process.ts',
    text: '    await rejectReports(context, webhook)\n',
    replacement: '    void rejectReports\n',
    test: ['billing.test.ts', 'a refusal that comes later'],
  },
  {
    row: 'events late: into a past hour, and after the end of a period that is not invoiced yet',
    safeguard: 'usage keeps its own time while Stripe can still bill it there',
    file: 'reports/placement.ts',
    text: '  if (segment.closedAt === null && fresh) return',
    replacement: '  if (segment.closedAt === null && fresh && segment.end === null) return',
    test: ['reports/placement.test.ts', 'usage keeps its own time while the invoice of its period is open'],
  },
  {
    row: 'events late: after finalization',
    safeguard: 'what Stripe has priced is placed in the open period',
    file: 'reports/placement.ts',
    text: '  if (segment.closedAt === null && fresh) return',
    replacement: '  if (fresh) return',
    test: ['billing.test.ts', 'usage that comes after its invoice is final'],
  },
  {
    row: 'events late: 36 days old',
    safeguard: 'what Stripe no longer takes is placed in the open period',
    file: 'reports/placement.ts',
    text: '  if (segment.closedAt === null && fresh) return',
    replacement: '  if (segment.closedAt === null) return',
    test: ['reports/placement.test.ts', '34 days keep their time, 36 do not'],
  },
  {
    row: 'the second of a plan switch',
    safeguard: 'the old price ends on a whole second',
    file: 'subscriptions/change.ts',
    text: '  const changedAt = await nextWholeSecond(context)\n',
    replacement:
      '  const changedAt = new Date(Math.floor(context.clock().getTime() / 1000) * 1000)\n  void nextWholeSecond\n',
    test: ['subscriptions/change.test.ts', 'usage in the very second of a switch'],
  },
  {
    row: 'the second of a cancellation',
    safeguard: 'a cancellation waits until its second is over',
    file: 'subscriptions/change.ts',
    text: '    await secondIsOver(context)\n',
    replacement: '    void secondIsOver\n',
    test: ['subscriptions/end.test.ts', 'the very second of a cancellation'],
  },
  {
    row: 'the second of a period boundary',
    safeguard: 'rollups are cut where a segment starts',
    file: 'events/store.ts',
    text: 'meter, greatest(hours.starts_at, cut.starts_at),',
    replacement: 'meter, hours.starts_at,',
    test: ['events/store.test.ts', 'an hour cut by a period start makes two'],
  },
  {
    row: 'invoice.created while usage is unreported',
    safeguard: 'a draft is flushed before it is let go',
    file: 'invoices/flush.ts',
    text: "  if (invoice.status === 'draft') await flushDraft(context, invoice, subscription)",
    replacement: '  void flushDraft',
    test: ['billing.test.ts', 'usage recorded after the last sync is flushed'],
  },
  {
    row: 'invoice.created while Stripe is down',
    safeguard: 'a draft whose flush cannot finish is held back',
    file: 'invoices/flush.ts',
    text: '    if (!held) await hold(stripe, invoice, true)\n',
    replacement: '',
    test: ['billing.test.ts', 'a draft whose usage cannot be flushed is held back'],
  },
  {
    row: 'invoice.created twice',
    safeguard: 'a delivery is stored once',
    file: 'webhooks/store.ts',
    text: '    on conflict (id) do nothing`,',
    replacement: "    on conflict (id) do update set status = 'received'`,",
    test: ['webhooks/handler.test.ts', 'a delivery that comes twice'],
  },
  {
    row: 'same event id twice, another content',
    safeguard: 'whoever claims the key inserts the event',
    file: 'events/store.ts',
    text: '    from batch join claimed using (customer_id, id)\n',
    replacement: '    from batch left join claimed using (customer_id, id)\n',
    test: ['events/store.test.ts', 'a caller key counts once'],
  },
  {
    row: 'same event id twice, another content',
    safeguard: 'the conflict is set aside and shown',
    file: 'events/store.ts',
    text: '    if (inserted < keyed.events.length) await setAsideConflicts(client, keyed.events)\n',
    replacement: '    void setAsideConflicts\n',
    test: ['events/store.test.ts', 'a caller key counts once'],
  },
  {
    row: 'recordEvent with { tx }',
    safeguard: "the event is written in the caller's transaction",
    file: 'create-meterkit.ts',
    text: '    if (tx) return insertEvents(tx, [event])',
    replacement: '    if (tx) return recorder.record(event)',
    test: ['billing.test.ts', 'an event in the caller own transaction'],
  },
  {
    row: 'one poisoned event',
    safeguard: 'what the database refuses is searched out by halving',
    file: 'events/store.ts',
    text: '    const middle = events.length >> 1\n',
    replacement: '    if (events.length > 1) return { stored: 0, setAside: events.length }\n    const middle = 0\n',
    test: [FAULTS, 'one poisoned event'],
  },
  {
    row: 'an error cleared while a sync runs',
    safeguard: 'only a report that is still refused is cleared',
    file: 'database/migrations/0001_billing.sql',
    text: "  where customer_id = of_customer and id = report_id and status in ('failed', 'unsure');\n  if not found then return false; end if;\n  update billing.rollups",
    replacement: '  where customer_id = of_customer and id = report_id;\n  update billing.rollups',
    test: [FAULTS, 'an error cleared by SQL'],
  },
  {
    row: 'a plan switched with usage unreported and Stripe down',
    safeguard: 'the change is refused while usage is unsettled',
    file: 'subscriptions/change.ts',
    text: '  if (result.postponed === 0 && unsettled === 0) return\n',
    replacement: '  if (result.postponed + unsettled >= 0) return\n',
    test: ['billing.test.ts', 'a change is refused, and nothing changed'],
  },
  {
    row: 'a subscription cancelled now, and Stripe slow',
    safeguard: 'nothing is reported while a cancellation may still come about',
    file: 'subscriptions/change.ts',
    text: '      await noteChanging(pool, subscription.id, clock())\n',
    replacement: '      void clock\n',
    test: ['subscriptions/end.test.ts', 'cancelled and the answer lost'],
  },
  {
    row: 'a void of an event already reported',
    safeguard: 'a void makes its rollup due',
    file: 'events/void.ts',
    text: 'events = rollup.events - taken.events, due = true\n',
    replacement: 'events = rollup.events - taken.events\n',
    test: ['billing.test.ts', 'a void sends the difference'],
  },
  {
    row: 'a void of an event already invoiced',
    safeguard: 'what Stripe has priced is given back in money',
    file: 'reports/parts.ts',
    text: '  if (segment.closedAt === null) return [{ value, place }]\n',
    replacement: '  if (segment.closedAt === null || change < 0) return [{ value, place }]\n',
    test: ['reports/credit.test.ts', 'usage taken back after its invoice is final'],
  },
  {
    row: 'a plan switched, a subscription cancelled, at Stripe itself',
    safeguard: 'what Stripe took after it had closed a segment is reported anew',
    file: 'subscriptions/sync.ts',
    text: '    await releaseUnbilled(client, subscription, clock())\n',
    replacement: '',
    test: ['subscriptions/unheard.test.ts', 'switched at Stripe: usage of before it'],
  },
  {
    row: 'an invoice that becomes final while a report is on its way',
    safeguard: 'when Stripe took a report is compared with when the segment closed',
    file: 'reports/submit.ts',
    text: '  return new Date(created * 1000)\n',
    replacement: '  return new Date(created * 0)\n',
    test: ['subscriptions/unheard.test.ts', 'an invoice that becomes final'],
  },
  {
    row: 'a plan switched here, its usage slow on its way to Stripe',
    safeguard: 'what was flushed before our own switch is not taken for unbilled',
    file: 'subscriptions/sync.ts',
    text: '  if (ours > since) return { at: ours, pricedAt: null }\n',
    replacement: '  if (ours > since) return { at: ours, pricedAt: ours }\n',
    test: ['subscriptions/unheard.test.ts', 'a switch of ours whose flush'],
  },
  {
    row: '`error_message` cleared while a sync runs',
    safeguard: 'what failed is read by a statement of its own, after the locks',
    file: 'reports/write.ts',
    text: '  const rollups = await rows<DueRow>(db, `${DUE_ROLLUPS} ${lock}`, [customerId])\n  const due = await withoutFailed(db, rollups)\n',
    replacement: `
  const before = await rows<DueRow>(db, DUE_ROLLUPS, [customerId])
  const early = await withoutFailed(db, before)
  const due = (await rows<DueRow>(db, \`\${DUE_ROLLUPS} \${lock}\`, [customerId])).map((row) => {
    const at = early.findIndex((other) => other.hasFailed && keyOf(other) === keyOf(row))
    if (at === -1) return row
    return { ...row, value: sum([row.value, early[at]!.value, before[at]!.value.slice(1)]), hasFailed: true }
  })
`,
    test: ['reports/race.test.ts', 'an error cleared while'],
  },
]

/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: it is the source */

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))
const NODE_MODULES = fileURLToPath(new URL('../../../../node_modules', import.meta.url))
const TEST_MS_MAX = 90_000
/** A kill meets the moment between a promise and its write by chance. */
const KILLS = 60

/**
 * @param words  only rows with one of them; all where there is none
 * @returns whether each was noticed
 */
export async function withoutSafeguards(say: (line: string) => void, words: readonly string[]): Promise<boolean> {
  const chosen = SAFEGUARDS.filter(({ row }) => words.length === 0 || words.some((word) => row.includes(word)))
  const postgres = await startTestPostgres()
  const workspace = mkdtempSync(join(tmpdir(), 'safeguards-'))
  const copy = join(workspace, 'packages', 'meterkit')
  const server = postgres.url('postgres')
  try {
    cpSync(PACKAGE, copy, { recursive: true, filter: (path) => !path.includes('node_modules') })
    symlinkSync(NODE_MODULES, join(workspace, 'node_modules'))
    let noticed = 0
    for (const safeguard of chosen) {
      const outcome = await tryWithout(copy, safeguard, server)
      if (outcome === 'noticed') noticed += 1
      say(
        `${outcome === 'noticed' ? '✓' : '✗'} ${safeguard.row}\n    without: ${safeguard.safeguard}\n    ${TOLD[outcome]}`,
      )
    }
    say(`${noticed} of ${chosen.length} are noticed when they are taken out.`)
    return noticed === chosen.length
  } finally {
    await postgres.stop()
    rmSync(workspace, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

type Outcome = 'noticed' | 'not noticed' | 'not found' | 'fails anyway'
const TOLD: Record<Outcome, string> = {
  noticed: 'its test fails, as it must',
  'not noticed': 'NOT NOTICED: its test passes',
  'not found': 'its text is not in the source exactly once: the table is out of date',
  'fails anyway': 'its test fails with it, too, or does not exist',
}

/** Tests that were tried on the copy as it is, and whether they pass. */
const whole = new Map<string, boolean>()

async function tryWithout(copy: string, safeguard: Safeguard, server: string): Promise<Outcome> {
  const file = join(copy, 'src', safeguard.file)
  const source = readFileSync(file, 'utf8')
  if (source.split(safeguard.text).length !== 2) return 'not found'
  const test = safeguard.test.join(' ')
  if (!whole.has(test)) whole.set(test, await passes(copy, safeguard, server))
  if (!whole.get(test)) return 'fails anyway'
  writeFileSync(
    file,
    source.replace(safeguard.text, () => safeguard.replacement),
  )
  try {
    return (await passes(copy, safeguard, server)) ? 'not noticed' : 'noticed'
  } finally {
    writeFileSync(file, source)
  }
}

/** A test that hangs has failed; one that is not there has not passed. */
function passes(copy: string, { test: [file, name] }: Safeguard, server: string): Promise<boolean> {
  const workspace = join(copy, '..', '..')
  const pattern = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const given = ['--test', `--test-timeout=${TEST_MS_MAX}`, '--test-reporter=tap', `--test-name-pattern=${pattern}`]
  // set, even to nothing, it would keep the runner from running anything
  const { NODE_TEST_CONTEXT: _, ...withoutTestContext } = process.env
  const child = spawn(process.execPath, [...given, join(copy, 'src', file)], {
    stdio: ['ignore', 'pipe', 'ignore'],
    // a test that hangs is killed, and leaves its files: they go with the copy
    env: {
      ...withoutTestContext,
      METERKIT_TEST_POSTGRES: server,
      FAULTS_KILLS: String(KILLS),
      FAULTS_POSTGRES_FOLDER: workspace,
      TMPDIR: workspace,
    },
    timeout: TEST_MS_MAX + 10_000,
    killSignal: 'SIGKILL',
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return new Promise((resolve) => {
    child.on('close', (code) => resolve(code === 0 && /^# pass [1-9]/m.test(output)))
  })
}
