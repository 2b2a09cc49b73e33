import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { StartupError } from './config.ts'

export interface RunningInstance {
  pid: number
  startedAt: string
  /** Null while it is starting. */
  url: string | null
  /** The same from this machine, whatever stands in front; null while it is starting. */
  localUrl: string | null
  /** The address of its database, for tools of the same user; null while it is starting. */
  databaseUrl: string | null
  /** Of the local Stripe, for the same tools; null with a real one, whose key is written nowhere. */
  stripe: { url: string; secret: string } | null
}

export interface Instance {
  /** Tells second starts and other tools where the app runs. */
  announce: (facts: Omit<RunningInstance, 'pid' | 'startedAt'>) => void
  release: () => void
}

/**
 * Makes this the only app on a data directory for as long as the process lives. The lock is a socket that the
 * system takes away with the process, however it ends; asked, it answers with what runs. The same is written to
 * `running.json` for other tools.
 *
 * @throws StartupError saying which process has it and where that can be reached
 */
export async function claimInstance(dataDirectory: string): Promise<Instance> {
  makeDirectory(dataDirectory)
  const running: RunningInstance = {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    url: null,
    localUrl: null,
    databaseUrl: null,
    stripe: null,
  }
  const address = socketAddress(dataDirectory)
  const server = createServer((socket) => {
    socket.on('error', () => {}) // whoever asked has gone
    const { pid, startedAt, url } = running // whoever asks may be another user
    socket.end(JSON.stringify({ pid, startedAt, url }))
  })
  if (!(await listen(server, address))) await settleOther(server, address, dataDirectory)
  server.unref()

  const file = join(dataDirectory, 'running.json')
  return {
    announce: (facts) => {
      Object.assign(running, facts)
      writeFileSync(file, `${JSON.stringify(running, null, 2)}\n`, { mode: 0o600 })
    },
    release: () => {
      rmSync(file, { force: true })
      server.close()
    },
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new StartupError(
      [
        `the data directory ${directory} cannot be made (${code}). Make it writable, or name another with METERKIT_DATA_DIR.`,
      ],
      { cause },
    )
  }
}

/** Linux and Windows have names that vanish with the process; elsewhere a file does, which may be left behind. */
function socketAddress(dataDirectory: string): string {
  const name = createHash('sha256').update(realpathSync(dataDirectory)).digest('hex').slice(0, 24)
  if (process.platform === 'linux') return `\0meterkit-${name}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\meterkit-${name}`
  return `/tmp/meterkit-${process.getuid?.()}-${name}.sock`
}

/** False when somebody else listens there, or has left a file of that name. */
function listen(server: ReturnType<typeof createServer>, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen(address, () => resolve(true))
  })
}

async function settleOther(
  server: ReturnType<typeof createServer>,
  address: string,
  dataDirectory: string,
): Promise<void> {
  const other = await ask(address)
  if (other) throw new StartupError([alreadyRuns(other, dataDirectory)])
  if (address.startsWith('/')) rmSync(address, { force: true })
  if (!(await listen(server, address)))
    throw new StartupError([
      `another process holds the lock of ${dataDirectory} and does not answer. Wait until it has ended, or end it.`,
    ])
}

function alreadyRuns({ pid, url }: Pick<RunningInstance, 'pid' | 'url'>, dataDirectory: string): string {
  const place = url ? `at ${url}` : 'and is still starting'
  return `it already runs ${place} (process ${pid}) with the data in ${dataDirectory}. Use that one, or end it with Ctrl-C in its terminal or: kill ${pid}.`
}

function ask(address: string): Promise<Pick<RunningInstance, 'pid' | 'url'> | null> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(address)
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer')))
    socket.setEncoding('utf8')
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => resolve(null))
    socket.on('end', () => {
      try {
        resolve(JSON.parse(answer))
      } catch {
        resolve(null)
      }
    })
  })
}
