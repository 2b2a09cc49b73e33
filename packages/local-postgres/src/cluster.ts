import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { LocalPostgresError } from './error.ts'
import { commandLine } from './former.ts'
import { spawnWatched } from './watchdog.ts'

/** True if the folder holds a PostgreSQL cluster that these binaries can run; false if there is nothing yet. */
export function holdsCluster(dataDir: string, { majorVersion }: Account): boolean {
  const versionFile = path.join(dataDir, 'PG_VERSION')
  if (existsSync(versionFile)) {
    const found = readFileSync(versionFile, 'utf8').trim()
    if (found === String(majorVersion)) return true
    throw new LocalPostgresError(
      `The data in ${dataDir} was written by PostgreSQL ${found}, and this is PostgreSQL ${majorVersion}, which cannot read it. ` +
        'Move that folder away to begin with an empty database, or go back to the version of this project that wrote it.',
    )
  }
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) {
    throw new LocalPostgresError(
      `${dataDir} holds files that are not a PostgreSQL database. Move them away, or choose another folder.`,
    )
  }
  return false
}

/**
 * Creates an empty cluster beside its place and moves it there in one step, so a killed start leaves no half folder,
 * and of two starts at once one wins.
 */
export async function createCluster(
  dataDir: string,
  { binaries, account, sync }: { binaries: Binaries; account: Account; sync: boolean },
): Promise<void> {
  removeAbandoned(dataDir)
  const folder = `${dataDir}.new-${process.pid}`
  mkdirSync(folder, { mode: 0o700 })
  if (account.uid !== undefined) chownSync(folder, account.uid, account.uid)

  const said: string[] = []
  const locale = ['--locale-provider=builtin', '--locale=C.UTF-8', '-E', 'UTF8']
  const options = ['-U', 'postgres', '-A', 'trust', '--no-instructions', ...(sync ? [] : ['--no-sync'])]
  const initdb = spawnWatched([...account.prefix, binaries.initdb, '-D', folder, ...locale, ...options], {
    removeOnFailure: folder,
    log: (line) => said.push(line),
  })
  if ((await initdb.exited) !== 0) {
    throw new LocalPostgresError(`PostgreSQL could not create its data folder ${dataDir}:\n${said.join('\n')}`)
  }

  try {
    renameSync(folder, dataDir)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    if (!existsSync(path.join(dataDir, 'PG_VERSION'))) throw error
  }
}

/** What a power failure left of earlier attempts. */
function removeAbandoned(dataDir: string): void {
  const prefix = `${path.basename(dataDir)}.new-`
  for (const name of readdirSync(path.dirname(dataDir))) {
    if (!name.startsWith(prefix) || commandLine(Number(name.slice(prefix.length))) !== '') continue
    rmSync(path.join(path.dirname(dataDir), name), { recursive: true, force: true })
  }
}
