import { createHash } from 'node:crypto'
import { accessSync, chownSync, constants, existsSync, lstatSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Account, chooseAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { createCluster, holdsCluster } from './cluster.ts'
import { LocalPostgresError } from './error.ts'
import { STARTED_BY, settleFormerServer } from './former.ts'
import { spawnWatched, type Watched } from './watchdog.ts'

export interface LocalPostgresOptions {
  /** Where the data lives; made if missing. Its parent must be writable. */
  dataDir: string
  /** Hears PostgreSQL's own messages and what is unusual about this start. */
  log?: (line: string) => void
  /** For tests: nothing is flushed to disk, and the folder (which must be new) is gone once the server has ended. */
  throwaway?: boolean
  /** PostgreSQL settings by name, for example `{ max_connections: '200' }`. */
  settings?: Record<string, string>
}

/** A running PostgreSQL, reachable through a Unix socket by this machine's user alone. */
export interface LocalPostgres {
  /** The address of a database, as `pg`, Kysely and libpq understand it. */
  url(database: string): string
  /**
   * Creates a database; one that exists is left alone, unless a template is given.
   * A template must have no open connection.
   */
  createDatabase(name: string, options?: { template?: string }): Promise<void>
  /** Ends open connections and shuts down; resolves when no process is left. May be called again. */
  stop(): Promise<void>
  /** kill -9, for tests of what happens then. */
  kill(): void
  pid: number
  dataDir: string
}

/** No other server shares our folder, so the number only names the socket file. */
const PORT = '5432'

/** sun_path holds 108 bytes with its closing zero on Linux, 104 on macOS. */
const SOCKET_PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103

/** The last keeps shared memory in the folder, which is removed even after a kill -9 of the server. */
const THROWAWAY = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  dynamic_shared_memory_type: 'mmap',
}

/**
 * Starts PostgreSQL on a data folder, creating it on the first start (half a second; later starts take 50 ms). It
 * needs no installation and no rights, works as root too, listens on no port, and ends with this process however
 * that ends. It does not keep this process alive.
 *
 * @throws LocalPostgresError when it cannot: folder in use, not writable, of another major version, no binaries
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const { log = () => {}, throwaway = false } = options
  const dataDir = placeFor(options.dataDir)
  const binaries = await findBinaries()
  const account = chooseAccount(binaries, existsSync(dataDir) ? dataDir : path.dirname(dataDir))
  if (account.description) log(`PostgreSQL runs ${account.description}`)

  const exists = holdsCluster(dataDir, account)
  if (exists && throwaway)
    throw new LocalPostgresError(`${dataDir} holds data already: a throwaway needs a new folder.`)
  if (!exists) await createCluster(dataDir, { binaries, account, sync: !throwaway })

  const socketDir = socketFolder(dataDir, account)
  await settleFormerServer(dataDir, socketDir, log)

  const settings = {
    listen_addresses: '',
    port: PORT,
    unix_socket_directories: socketDir,
    unix_socket_permissions: '0700',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    ...(throwaway ? THROWAWAY : {}),
    ...options.settings,
    [STARTED_BY]: String(process.pid),
  }
  const removeOnEnd = [...(throwaway ? [dataDir] : []), ...(socketDir === dataDir ? [] : [socketDir])]
  const said: string[] = []
  const server = spawnWatched(
    [
      ...account.prefix,
      binaries.postgres,
      '-D',
      dataDir,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    {
      removeOnEnd,
      log: (line) => {
        said.push(line)
        if (said.length > 20) said.shift()
        log(line)
      },
    },
  )
  const pid = await ready(server, dataDir).catch(async (error) => {
    await settleFormerServer(dataDir, socketDir, log) // of two starts at once, the slower one learns who won
    throw new LocalPostgresError(`PostgreSQL did not start on ${dataDir}:\n${said.join('\n')}`, { cause: error })
  })
  server.unref()
  return running({ server, pid, dataDir, socketDir, log })
}

function running(parts: {
  server: Watched
  pid: number
  dataDir: string
  socketDir: string
  log: (line: string) => void
}): LocalPostgres {
  const { server, pid, dataDir, socketDir, log } = parts
  const host = encodeURIComponent(socketDir).replaceAll('%2F', '/')
  // The port is said, or PGPORT of the caller's environment would be taken.
  const url = (database: string) => `postgresql://postgres@/${encodeURIComponent(database)}?host=${host}&port=${PORT}`
  let stopping = false
  server.exited.then((code) => {
    if (!stopping) log(`PostgreSQL ${pid} ended unexpectedly (exit code ${code})`)
  })
  return {
    url,
    pid,
    dataDir,
    createDatabase: (name, options) => createDatabase(url('postgres'), name, options?.template),
    async stop() {
      stopping = true
      server.ref()
      server.release()
      await server.exited
    },
    kill() {
      stopping = true
      process.kill(pid, 'SIGKILL')
    },
  }
}

/** Resolves once connections are accepted; crash recovery may take its time, so there is no limit but its end. */
async function ready(server: Watched, dataDir: string): Promise<number> {
  let exitCode: number | undefined
  server.exited.then((code) => {
    exitCode = code
  })
  const pid = await server.pid
  while (exitCode === undefined) {
    const lines = statusLines(dataDir)
    if (Number(lines[0]) === pid && lines[7]?.trim() === 'ready') return pid
    await sleep(5)
  }
  throw new Error(`exit code ${exitCode}`)
}

function statusLines(dataDir: string): string[] {
  try {
    return readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

async function createDatabase(serverUrl: string, name: string, template: string | undefined): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl })
  client.on('error', () => {}) // the statement's own error says it
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount !== 0 && template === undefined) return
    const copied = template === undefined ? '' : ` template ${pg.escapeIdentifier(template)}`
    await client.query(`create database ${pg.escapeIdentifier(name)}${copied}`)
  } catch (error) {
    // Another was a moment quicker: 42P04 past our check, 23505 past PostgreSQL's own and into the unique index.
    const exists = ['42P04', '23505'].includes((error as { code?: string }).code ?? '')
    if (!exists || template !== undefined) throw error
  } finally {
    await client.end()
  }
}

/** The absolute path of the data folder, free of symbolic links; its parent exists and can be written. */
function placeFor(folder: string): string {
  const absolute = path.resolve(folder)
  const parent = path.dirname(absolute)
  try {
    mkdirSync(parent, { recursive: true })
    accessSync(parent, constants.W_OK | constants.X_OK)
    if (existsSync(absolute)) accessSync(absolute, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code
    throw new LocalPostgresError(
      `The data folder ${absolute} cannot be written (${reason}). Give its folder to the user who runs this, or choose another.`,
      { cause },
    )
  }
  return existsSync(absolute) ? realpathSync(absolute) : path.join(realpathSync(parent), path.basename(absolute))
}

/** The socket lies with the data, unless that path is too long for a socket. */
function socketFolder(dataDir: string, account: Account): string {
  const fits = (folder: string) => Buffer.byteLength(`${folder}/.s.PGSQL.${PORT}`) <= SOCKET_PATH_BYTES_MAX
  if (fits(dataDir)) return dataDir

  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  const name = `local-postgres-${process.geteuid?.()}-${hash}`
  const folder = path.join(fits(path.join(tmpdir(), name)) ? tmpdir() : '/tmp', name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Anyone may make a folder in tmp: one that is not ours alone could be read over our shoulder.
  const { uid, mode } = lstatSync(folder)
  const owner = account.uid ?? process.geteuid?.()
  if (![owner, process.geteuid?.()].includes(uid) || (mode & 0o170777) !== 0o040700) {
    throw new LocalPostgresError(`The folder ${folder} for PostgreSQL's socket is not ours alone. Remove it.`)
  }
  if (account.uid !== undefined) chownSync(folder, account.uid, account.uid)
  return folder
}
