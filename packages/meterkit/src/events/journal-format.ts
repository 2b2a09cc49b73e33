import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { MeterEvent, Properties } from './event.ts'

/*
 * The journal's directory, as whoever writes it and whoever only looks at it find it: numbered files of records, a
 * `checkpoint` that names the first byte that is not done, and `damaged/` with what could not be read.
 *
 * A record is one line of a JSON text sequence (RFC 7464) with a checksum: RS, CRC-32 in hex, JSON, LF. A reader finds
 * the next record after any damage, because neither RS nor LF occurs inside a record.
 */

const RECORD_START = '\x1e'
export const RECORD_END = '\n'
/** Every byte's two digits: a number's own `toString(16)` takes a fifth of the time of a record. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** The first byte that is not done. */
export interface Checkpoint {
  file: number
  offset: number
}

export function encodeRecord(event: MeterEvent): string {
  const json = JSON.stringify([
    event.id,
    event.key,
    event.customerId,
    event.subscriptionId,
    event.meterId,
    event.quantity,
    event.occurredAt,
    event.properties,
  ])
  return `${RECORD_START}${checksum(json)}${json}${RECORD_END}`
}

/** A line holds one record; more where a byte between two was damaged. */
export function decodeLine(line: string, damaged: (part: string) => void): MeterEvent[] {
  const events: MeterEvent[] = []
  for (const part of line.split(RECORD_START)) {
    const record = part.endsWith(RECORD_END) ? part.slice(0, -1) : part
    if (record === '') continue
    const event = decodeRecord(record)
    if (event) events.push(event)
    else damaged(record)
  }
  return events
}

type RecordFields = [string, string | null, string, string, number, string, number, Properties | null]

function decodeRecord(record: string): MeterEvent | null {
  const json = record.slice(8)
  if (record.slice(0, 8) !== checksum(json)) return null
  const [id, key, customerId, subscriptionId, meterId, quantity, occurredAt, properties] = JSON.parse(
    json,
  ) as RecordFields
  return { id, key, customerId, subscriptionId, meterId, quantity, occurredAt, properties }
}

function checksum(json: string): string {
  const crc = crc32(json)
  return `${HEX[crc >>> 24]}${HEX[(crc >>> 16) & 255]}${HEX[(crc >>> 8) & 255]}${HEX[crc & 255]}`
}

export async function readCheckpoint(directory: string, files: number[]): Promise<Checkpoint> {
  const text = await readFile(join(directory, 'checkpoint'), 'utf8').catch(() => '')
  const match = /^(\d+) (\d+)\n$/.exec(text)
  // Without one, everything is offered again: known ids are not counted twice.
  return match ? { file: Number(match[1]), offset: Number(match[2]) } : { file: files[0] ?? 0, offset: 0 }
}

/** Their numbers, oldest first. */
export async function journalFiles(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names
    .filter((name) => /^\d{10}\.journal$/.test(name))
    .map((name) => Number(name.slice(0, 10)))
    .sort((a, b) => a - b)
}

export function pathOf(directory: string, file: number): string {
  return join(directory, `${String(file).padStart(10, '0')}.journal`)
}

/**
 * The name of the socket its holder listens on. On Linux it lives in the abstract namespace and leaves no file; elsewhere a
 * dead process's file is recognized by nobody answering.
 */
export function lockAddress(directory: string): string {
  const hash = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32)
  return process.platform === 'linux' ? `\0meterkit-journal-${hash}` : join(tmpdir(), `meterkit-journal-${hash}`)
}
