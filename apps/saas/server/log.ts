import { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'
import type { Config } from './config.ts'

/** JSON lines in production; lines for people in development. */
export function createLog({ logLevel, production }: Config): Logger {
  const options = { level: logLevel, base: null, redact: ['secret', 'password', 'token', '*.secret', '*.password'] }
  return production ? pino(options) : pino(options, forPeople())
}

function forPeople(): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      process.stdout.write(readable(String(chunk)), () => done())
    },
  })
}

function readable(line: string): string {
  const { level, time, msg, ...facts } = JSON.parse(line) as { level: number; time: number; msg: string }
  const at = new Date(time).toISOString().slice(11, 19)
  const name = pino.levels.labels[level] ?? String(level)
  const rest = Object.entries(facts).map(([key, value]) => `${key}=${brief(value)}`)
  return `${[at, name === 'info' ? '' : name.toUpperCase(), msg, ...rest].filter(Boolean).join(' ')}\n`
}

function brief(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
