import { constants } from 'node:fs'
import { access, type FileHandle, mkdir, open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MeterkitError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { MeterEvent } from './event.ts'
import {
  type Checkpoint,
  decodeLine,
  encodeRecord,
  journalFiles,
  pathOf,
  RECORD_END,
  readCheckpoint,
} from './journal-format.ts'
import { type JournalLock, lockJournal } from './journal-lock.ts'

/*
 * The journal: events on their way to the database, on disk, in records of `journal-format.ts`.
 *
 * Records are written in blocks; a block is durable once its bytes are synced, and done once its events are committed in
 * PostgreSQL. `checkpoint` names the first byte that is not done; what lies before it is deleted by whole files. The
 * checkpoint may lag behind after a crash: its events are then offered to the database again, which knows their ids.
 *
 * A start never appends to an old file. Bytes after the last whole record of the newest old file are a torn tail: a
 * write whose promise never resolved; it is cut and reported. A damaged record anywhere else is copied to `damaged/`
 * and reported with file and offset, and the records around it are kept.
 */

export interface Block {
  file: number
  offset: number
  length: number
  events: number
}

export interface Journal {
  /** What an earlier run left, oldest first. */
  backlog: Block[]
  /** Resolves once the events would survive `kill -9`. @throws the file system's error; nothing was appended then. */
  append: (events: readonly MeterEvent[]) => Promise<Block>
  read: (block: Block) => Promise<MeterEvent[]>
  /** The block's events are in the database. Blocks may be done in any order. */
  done: (block: Block) => Promise<void>
  /** Bytes not done yet. */
  bytes: () => number
  close: () => Promise<void>
}

const FILE_BYTES_MAX = 16 * 1024 * 1024
const BACKLOG_BLOCK_EVENTS = 5_000

/**
 * Opens the directory for this process alone.
 * @throws MeterkitError `journal_in_use` where another process has it, `journal_unwritable` where it cannot be written
 */
export async function openJournal({ directory, log }: { directory: string; log: Logger }): Promise<Journal> {
  await makeWritable(directory)
  const lock = await lockJournal(directory)
  try {
    return await openLocked(directory, lock, log)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function openLocked(directory: string, lock: JournalLock, log: Logger): Promise<Journal> {
  const files = await journalFiles(directory)
  const checkpoint = await readCheckpoint(directory, files)
  const backlog: Block[] = []
  for (const file of files) {
    if (file < checkpoint.file) await rm(pathOf(directory, file), { force: true })
    else {
      const from = file === checkpoint.file ? checkpoint.offset : 0
      backlog.push(...(await recover(directory, file, from, file === files.at(-1), log)))
    }
  }
  const outstanding = new Map(backlog.map((block) => [keyOf(block), block]))
  // Past the checkpoint, too: files before it are taken for done, and it may outlive them all.
  let writing = { file: Math.max(files.at(-1) ?? 0, checkpoint.file) + 1, offset: 0 }
  let handle: FileHandle | null = null
  let saved = checkpoint
  let saving: Promise<void> = Promise.resolve()
  let bytesOutstanding = backlog.reduce((total, block) => total + block.length, 0)

  async function append(events: readonly MeterEvent[]): Promise<Block> {
    const bytes = Buffer.from(events.map(encodeRecord).join(''))
    if (handle === null || writing.offset >= FILE_BYTES_MAX) await startFile()
    // At an explicit position: a write that failed half-way is overwritten by the next.
    let written = 0
    while (written < bytes.length) {
      const result = await handle!.write(bytes, written, bytes.length - written, writing.offset + written)
      written += result.bytesWritten
    }
    await handle!.datasync()
    const block = { ...writing, length: bytes.length, events: events.length }
    writing.offset += bytes.length
    outstanding.set(keyOf(block), block)
    bytesOutstanding += block.length
    return block
  }

  async function startFile(): Promise<void> {
    const created = await createFile(directory, handle === null ? writing.file : writing.file + 1)
    await syncDirectory(directory)
    await handle?.close()
    handle = created.handle
    writing = { file: created.file, offset: 0 }
  }

  async function done(block: Block): Promise<void> {
    if (outstanding.delete(keyOf(block))) bytesOutstanding -= block.length
    const [first] = outstanding.values()
    const upTo = first ? { file: first.file, offset: first.offset } : { ...writing }
    if (upTo.file < saved.file || (upTo.file === saved.file && upTo.offset <= saved.offset)) return
    const before = saved
    saved = upTo
    saving = saving
      .then(() => saveCheckpoint(directory, before, upTo))
      .catch((error: Error) => {
        // The events are safe in the database; the next start offers them again.
        log.warn({ directory, error: error.message }, 'the journal could not note its progress')
      })
    await saving
  }

  return {
    backlog,
    append,
    read: (block) => readBlock(directory, block),
    done,
    bytes: () => bytesOutstanding,
    close: async () => {
      await saving
      await handle?.close()
      handle = null
      // What is left over is done; the next start finds that out by itself.
      if (outstanding.size === 0) await removeFiles(directory).catch(() => {})
      await lock.release()
    },
  }
}

/** Whole records of a file from `offset` on, in blocks; what is damaged is reported and kept apart. */
async function recover(
  directory: string,
  file: number,
  offset: number,
  newest: boolean,
  log: Logger,
): Promise<Block[]> {
  const path = pathOf(directory, file)
  const bytes = (await readFile(path)).subarray(offset)
  const blocks: Block[] = []
  let block: Block = { file, offset, length: 0, events: 0 }
  let position = 0
  while (position < bytes.length) {
    const end = bytes.indexOf(RECORD_END, position)
    if (end === -1 && newest) {
      await truncate(path, offset + position)
      const cut = bytes.length - position
      log.warn(
        { file: path, offset: offset + position, bytes: cut },
        'cut a torn record off the journal; its promise had not resolved',
      )
      break
    }
    const next = end === -1 ? bytes.length : end + 1
    const events = decodeLine(bytes.toString('utf8', position, next), (part) => {
      const where = { file: path, offset: offset + position }
      setApart(directory, file, offset + position, part, log)
      log.error(
        where,
        `the journal has a damaged record; it was copied to ${join(directory, 'damaged')}, the others are kept`,
      )
    })
    block.events += events.length
    position = next
    block.length = offset + position - block.offset
    if (block.events >= BACKLOG_BLOCK_EVENTS) {
      blocks.push(block)
      block = { file, offset: offset + position, length: 0, events: 0 }
    }
  }
  if (block.length > 0) blocks.push(block)
  return blocks
}

async function readBlock(directory: string, block: Block): Promise<MeterEvent[]> {
  const handle = await open(pathOf(directory, block.file), 'r')
  try {
    const bytes = Buffer.alloc(block.length)
    await handle.read(bytes, 0, block.length, block.offset)
    // Damage was reported when the file was recovered.
    return bytes
      .toString('utf8')
      .split(RECORD_END)
      .flatMap((line) => decodeLine(line, () => {}))
  } finally {
    await handle.close()
  }
}

function setApart(directory: string, file: number, offset: number, record: string, log: Logger): void {
  const name = `${String(file).padStart(10, '0')}-${offset}`
  mkdir(join(directory, 'damaged'), { recursive: true })
    .then(() => writeFile(join(directory, 'damaged', name), record))
    .catch((error: Error) => log.error({ name, record, error: error.message }, 'a damaged record could not be kept'))
}

async function saveCheckpoint(directory: string, before: Checkpoint, { file, offset }: Checkpoint): Promise<void> {
  const path = join(directory, 'checkpoint')
  await writeFile(`${path}.new`, `${file} ${offset}\n`)
  await rename(`${path}.new`, path)
  for (let old = before.file; old < file; old++) await rm(pathOf(directory, old), { force: true })
}

async function removeFiles(directory: string): Promise<void> {
  const files = await journalFiles(directory)
  for (const file of files) await rm(pathOf(directory, file), { force: true })
  await rm(join(directory, 'checkpoint'), { force: true })
}

async function makeWritable(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
    if (!(await stat(directory)).isDirectory()) throw new Error('not a directory')
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const sentence = `the journal's directory ${directory} cannot be written: ${(cause as Error).message}. Give one that this user may write, or pass journal: false.`
    throw new MeterkitError('journal_unwritable', sentence, { field: 'journal.directory', value: directory, cause })
  }
}

/** Never one that is there: no lock reaches a process on another machine that shares the directory. */
async function createFile(directory: string, from: number): Promise<{ file: number; handle: FileHandle }> {
  for (let file = from; ; file++) {
    try {
      return { file, handle: await open(pathOf(directory, file), 'wx') }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  await handle.sync().finally(() => handle.close())
}

function keyOf({ file, offset }: Block): string {
  return `${file}:${offset}`
}
