import { open, rm, stat } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { MeterkitError } from '../errors.ts'
import { lockAddress } from './journal-format.ts'

export interface JournalLock {
  release: () => Promise<void>
}

/** A path nobody listens at, that is no socket, or that has gone. */
const DEAD = ['ECONNREFUSED', 'ENOTSOCK', 'ENOENT']
/** Two processes that clear a dead one's socket away at the same time have done so long before this. */
const TAKE_OVER_MS = 50

/**
 * A directory for this process alone, held by listening sockets, because the kernel lets go of those however the process
 * ends. Two of them: on Linux a name in the abstract namespace, which no crash leaves behind but which another container
 * does not see; and a socket in the directory itself, which it does.
 * @throws MeterkitError `journal_in_use`
 */
export async function lockJournal(directory: string): Promise<JournalLock> {
  const named = await listen(lockAddress(directory)).catch((cause) => inUse(directory, cause))
  if (process.platform !== 'linux') return { release: () => close(named) }
  try {
    const inside = await listenInside(directory)
    return {
      release: async () => {
        await inside?.release()
        await close(named)
      },
    }
  } catch (error) {
    await close(named)
    throw error
  }
}

/** Null where the file system knows no sockets. */
async function listenInside(directory: string): Promise<JournalLock | null> {
  // by its descriptor: the path of a socket may have 107 bytes
  const folder = await open(directory, 'r')
  const path = `/proc/self/fd/${folder.fd}/lock`
  try {
    const server = await listen(path).catch((error: NodeJS.ErrnoException) => takeOver(directory, path, error))
    if (server) return { release: () => close(server).finally(() => folder.close()) }
    await folder.close()
    return null
  } catch (error) {
    await folder.close()
    throw error
  }
}

/** A socket nobody answers at was left by a process that was killed. */
async function takeOver(directory: string, path: string, error: NodeJS.ErrnoException): Promise<Server | null> {
  if (error.code !== 'EADDRINUSE') return null
  if (await answers(path)) return inUse(directory, error)
  await rm(path, { force: true })
  const server = await listen(path).catch((cause) => inUse(directory, cause))
  const { ino } = await stat(path)
  await sleep(TAKE_OVER_MS)
  const now = await stat(path).catch(() => null)
  if (now?.ino === ino) return server
  server.close()
  return inUse(directory, error)
}

function listen(address: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {}) // whoever asked has gone
    socket.end(JSON.stringify({ pid: process.pid }))
  })
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => resolve(server))
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(!DEAD.includes(code ?? '')))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function inUse(directory: string, cause: unknown): never {
  const sentence = `the journal in ${directory} is in use by another process. Stop that one, or give each process a directory of its own.`
  throw new MeterkitError('journal_in_use', sentence, { field: 'journal.directory', value: directory, cause })
}
