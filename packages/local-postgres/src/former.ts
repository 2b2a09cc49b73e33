import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalPostgresError } from './error.ts'

/** PostgreSQL allows settings with a dotted name; this one shows in its command line who started it. */
export const STARTED_BY = 'local_postgres.started_by'

/** A fast shutdown writes out what is in memory; on a slow disk that takes its time. */
const SHUTDOWN_MS_MAX = 30_000

/**
 * Makes sure that no PostgreSQL runs on the data folder: one whose starter has died is stopped and waited for.
 * A lock file that names a process which is no PostgreSQL (its number was given out again) is removed; PostgreSQL
 * itself deals with one that names no process at all.
 *
 * @throws LocalPostgresError when the starter lives: the folder is in use
 */
export async function settleFormerServer(dataDir: string, socketDir: string, log: (line: string) => void) {
  for (const lockFile of [path.join(dataDir, 'postmaster.pid'), path.join(socketDir, '.s.PGSQL.5432.lock')]) {
    const pid = firstLine(lockFile)
    if (pid === null) continue
    const command = commandLine(pid)
    if (command === '') continue
    if (!command.includes('postgres') || !command.includes(dataDir)) {
      log(`removing a stale lock: ${lockFile} names process ${pid}, which is not PostgreSQL`)
      rmSync(lockFile, { force: true })
      continue
    }
    const starter = Number(new RegExp(`${STARTED_BY}=(\\d+)`).exec(command)?.[1] ?? 0)
    const starterCommand = starter ? commandLine(starter) : ''
    if (starterCommand !== '') throw inUse(dataDir, pid, starter, starterCommand)
    log(`stopping PostgreSQL ${pid}, whose starter has died`)
    await interrupt(dataDir, pid)
  }
}

function inUse(dataDir: string, pid: number, starter: number, starterCommand: string): LocalPostgresError {
  const who =
    starter === process.pid
      ? 'this very process'
      : `process ${starter} (${starterCommand.replace(/\s+/g, ' ').slice(0, 120)})`
  return new LocalPostgresError(
    `The data folder ${dataDir} is in use: ${who} runs PostgreSQL ${pid} on it. ` +
      `Use that one, or end it first${starter === process.pid ? '' : ` (kill ${starter})`}.`,
  )
}

async function interrupt(dataDir: string, pid: number): Promise<void> {
  const startedAt = Date.now()
  while (commandLine(pid).includes(dataDir)) {
    try {
      process.kill(pid, 'SIGINT') // repeating it does no harm: the shutdown goes on
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EPERM') {
        throw new LocalPostgresError(`The data folder ${dataDir} is in use by PostgreSQL ${pid} of another user.`)
      }
    }
    if (Date.now() - startedAt > SHUTDOWN_MS_MAX) {
      throw new LocalPostgresError(
        `PostgreSQL ${pid} still runs on ${dataDir} although its starter has died, and does not stop. End it with: kill -QUIT ${pid}`,
      )
    }
    await sleep(20)
  }
}

/** The process's command and arguments; empty when there is no such process, or only what init has yet to collect. */
export function commandLine(pid: number): string {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).stdout?.trim() ?? ''
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function firstLine(lockFile: string): number | null {
  try {
    return Number.parseInt(readFileSync(lockFile, 'utf8'), 10) || null
  } catch {
    return null
  }
}
