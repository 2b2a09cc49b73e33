import { type Logger, pino } from 'pino'
import type { Config } from './config.ts'

/** Names of facts whose value is never written, at the top and one step below. */
const SECRET_NAMES = [
  'secret',
  'password',
  'token',
  'authorization',
  'cookie',
  'apiKey',
  'databaseUrl',
  'connectionString',
]

/** Secrets of others that may stand in a message: keys of Stripe and of models, signing secrets, passwords in addresses. */
const SECRET_VALUES =
  /\b(?:(?:sk|rk)_(?:test|live)_|whsec_|sk-(?:ant-)?)[\w-]{6,}|(?<=\b[a-z]+:\/\/[^\s:@/"]*:)[^\s@/"]+(?=@)|(?<=\bBearer )[\w.~+/-]+/gi

/**
 * JSON lines in production; lines for people in development. Facts carry the ids of events, reports and requests.
 * @param write  default: to the standard output
 */
export function createLog(
  { logLevel, production }: Pick<Config, 'logLevel' | 'production'>,
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Logger {
  const paths = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
  const options = { level: logLevel, base: null, redact: { paths, censor: '[secret]' } }
  return pino(options, { write: (line) => write(production ? scrubbed(line) : readable(scrubbed(line))) })
}

function scrubbed(line: string): string {
  return line.replace(SECRET_VALUES, '[secret]')
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
