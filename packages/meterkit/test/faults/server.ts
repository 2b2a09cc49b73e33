import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LocalPostgres, startLocalPostgres } from 'local-postgres'
import { roomyFolder } from 'local-postgres/testing'

/** A PostgreSQL of one's own, to be stopped and killed. What is committed survives kill -9, as on any server. */
export interface Server {
  url: (database: string) => string
  createDatabase: (name: string) => Promise<void>
  running: () => boolean
  /** Shuts down as an operator would: connections are ended. */
  stop: () => Promise<void>
  kill: () => Promise<void>
  /** On the same data and at the same address; does nothing where it runs. */
  start: () => Promise<void>
  /** Stops for good and removes the data. */
  remove: () => Promise<void>
}

/** Recovery after kill -9 may still see processes of before. */
const START_ATTEMPTS = 50
/** A power failure is not simulated, so nothing need be flushed; but a commit must be with the kernel before it is said. */
const SETTINGS = { fsync: 'off', full_page_writes: 'off', max_connections: '120', dynamic_shared_memory_type: 'mmap' }

/** Where the data lies, for who removes it after a test that was killed; in memory where it is unset and there is room. */
const FOLDER_VARIABLE = 'FAULTS_POSTGRES_FOLDER'

export async function startServer(): Promise<Server> {
  const parent = process.env[FOLDER_VARIABLE] ?? roomyFolder()
  const folder = mkdtempSync(join(parent, 'faults-postgres-'))
  const dataDir = join(folder, 'data')
  let postgres: LocalPostgres | null = await startLocalPostgres({ dataDir, settings: SETTINGS })
  const { url, createDatabase } = postgres

  async function start(): Promise<void> {
    for (let attempt = 1; postgres === null; attempt++) {
      try {
        postgres = await startLocalPostgres({ dataDir, settings: SETTINGS })
      } catch (error) {
        if (attempt === START_ATTEMPTS) throw error
        await sleep(100)
      }
    }
  }

  async function end(how: 'stop' | 'kill'): Promise<void> {
    const ending = postgres
    postgres = null
    if (how === 'kill') ending?.kill()
    await ending?.stop()
  }

  return {
    url,
    createDatabase: (name) => createDatabase(name),
    running: () => postgres !== null,
    start,
    stop: () => end('stop'),
    kill: () => end('kill'),
    remove: async () => {
      await end('stop')
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    },
  }
}
