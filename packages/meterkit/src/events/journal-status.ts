import { readdir, readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { decodeLine, journalFiles, lockAddress, pathOf, RECORD_END, readCheckpoint } from './journal-format.ts'

/** Whoever holds the journal answers at once; it may be busy. */
const ANSWER_MS_MAX = 1_000

export interface JournalStatus {
  directory: string
  exists: boolean
  /** The process that has it open; null: nobody. `pid` is null where it does not tell. */
  heldBy: { pid: number | null } | null
  files: JournalFile[]
  bytes: number
  /** Events behind the checkpoint: not known to be in the database. After a crash some of them may be there all the same. */
  outstanding: { events: number; bytes: number }
  /** Records whose checksum is wrong; they are kept in `damaged/` when the journal is opened. */
  damaged: { file: string; offset: number; bytes: number }[]
  /** A last record without its end: being written just now, or torn by a crash before its promise had resolved. */
  unfinished: { file: string; offset: number; bytes: number } | null
  /** Damaged records that earlier starts have set apart. */
  setApart: string[]
}

export interface JournalFile {
  path: string
  bytes: number
  /** Of its events, those behind the checkpoint. */
  outstanding: number
}

/** Looks at a journal without opening it: nothing is written, and whoever holds it is not disturbed. */
export async function journalStatus(directory: string): Promise<JournalStatus> {
  const status: JournalStatus = {
    directory,
    exists: false,
    heldBy: null,
    files: [],
    bytes: 0,
    outstanding: { events: 0, bytes: 0 },
    damaged: [],
    unfinished: null,
    setApart: [],
  }
  const there = await stat(directory).catch(() => null)
  if (!there?.isDirectory()) return status
  status.exists = true
  status.heldBy = await holder(directory)
  status.setApart = await readdir(join(directory, 'damaged')).catch(() => [])
  const files = await journalFiles(directory)
  const checkpoint = await readCheckpoint(directory, files)
  for (const file of files) {
    // one that is done may be deleted under our eyes
    const bytes = await readFile(pathOf(directory, file)).catch(() => null)
    if (!bytes) continue
    const from = file < checkpoint.file ? bytes.length : file === checkpoint.file ? checkpoint.offset : 0
    look(status, pathOf(directory, file), bytes, from)
  }
  return status
}

function look(status: JournalStatus, path: string, bytes: Buffer, from: number): void {
  let outstanding = 0
  let position = from
  while (position < bytes.length) {
    const end = bytes.indexOf(RECORD_END, position)
    if (end === -1) {
      status.unfinished = { file: path, offset: position, bytes: bytes.length - position }
      break
    }
    const at = position
    outstanding += decodeLine(bytes.toString('utf8', at, end + 1), (part) => {
      status.damaged.push({ file: path, offset: at, bytes: Buffer.byteLength(part) })
    }).length
    position = end + 1
  }
  status.files.push({ path, bytes: bytes.length, outstanding })
  status.bytes += bytes.length
  status.outstanding.events += outstanding
  status.outstanding.bytes += Math.max(0, bytes.length - from)
}

/** Asks at the lock's address, which the kernel takes away with the process. */
function holder(directory: string): Promise<JournalStatus['heldBy']> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(lockAddress(directory))
    socket.setEncoding('utf8')
    socket.setTimeout(ANSWER_MS_MAX, () => {
      socket.destroy()
      resolve({ pid: null })
    })
    socket.on('data', (chunk: string) => {
      answer += chunk
    })
    socket.on('error', () => resolve(null))
    socket.on('end', () => {
      socket.end()
      const pid = Number(/"pid":(\d+)/.exec(answer)?.[1])
      resolve({ pid: Number.isNaN(pid) ? null : pid })
    })
  })
}
