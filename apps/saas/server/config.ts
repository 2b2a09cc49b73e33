import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { providerOf } from './ai-provider.ts'

/** The folder of the whole project: where `.env` and `.meterkit/` live. */
export const PROJECT_DIRECTORY = fileURLToPath(new URL('../../../', import.meta.url))

const DEFAULT_PORT = 4000
const EVERY_MINUTE = '* * * * *'

export interface Config {
  /** `NODE_ENV=production`: nothing is seeded, no local Stripe, secrets must be given. */
  production: boolean
  host: string
  port: number
  /** Somebody named this very port, so another one would be a surprise. */
  portIsExplicit: boolean
  /** The address people use, without a trailing slash; null: `http://localhost:<port>`. */
  appUrl: string | null
  /** How many proxies stand in front; each adds one entry to X-Forwarded-For. */
  trustedProxies: number
  /** Null: the PostgreSQL that comes with the project. */
  databaseUrl: string | null
  /** Null: the local Stripe. */
  stripeSecret: string | null
  stripeWebhookSecrets: string[]
  stripeProductionMode: boolean
  billingSource: 'organization' | 'user'
  /** Cron expression of five fields or an alias such as `@daily`. */
  syncSchedule: string
  /** Null: a random one, kept in the data directory. */
  authSecret: string | null
  anthropicApiKey: string | null
  openaiApiKey: string | null
  aiModel: string | null
  smtpUrl: string | null
  mailFrom: string
  logLevel: LogLevel
  /** Absolute path of the folder for everything that is not source: database, journal, local Stripe, generated secrets. */
  dataDirectory: string
  collect: boolean
  /** What a scrape of `/metrics` must bring; null: nothing outside production, and in production nobody may scrape. */
  metricsToken: string | null
  /** Where spans go; null: nowhere. */
  traces: { url: string; serviceName: string } | null
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Why the app cannot start: one sentence a problem, each with its way out, without secrets. */
export class StartupError extends Error {
  override name = 'StartupError'
  readonly problems: string[]

  constructor(problems: string[], options?: ErrorOptions) {
    super(problems.map((problem) => `Meterkit did not start: ${problem}`).join('\n'), options)
    this.problems = problems
  }
}

/**
 * The app's configuration from environment variables; an empty value counts as absent.
 *
 * @throws StartupError naming every variable that is missing or malformed
 */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()))
  const parsed = variables(given.NODE_ENV === 'production').safeParse(given)
  const problems = parsed.success ? contradictions(parsed.data) : parsed.error.issues.map(({ message }) => message)
  if (!parsed.success || problems.length > 0) throw new StartupError(problems)
  return toConfig(parsed.data)
}

const flag = (name: string, way: string) =>
  z
    .enum(['true', 'false'], { error: ({ input }) => `${name} is "${input}"; it must be true or false. ${way}` })
    .transform((value) => value === 'true')

const oneOf = <const T extends string>(name: string, values: readonly [T, ...T[]], fallback: string) =>
  z.enum(values, {
    error: ({ input }) =>
      `${name} is "${input}"; it must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}. Correct it, or remove it to get ${fallback}.`,
  })

const wholeNumber = (name: string, highest: number, fallback: string) =>
  z
    .string()
    .refine((value) => /^\d{1,5}$/.test(value) && Number(value) <= highest, {
      error: ({ input }) =>
        `${name} is "${input}"; it must be a whole number from 0 to ${highest}. Correct it, or remove it to get ${fallback}.`,
    })
    .transform(Number)

const collector = (name: string) =>
  z.string().refine((value) => /^https?:\/\//.test(value) && URL.canParse(value), {
    error: ({ input }) =>
      `${name} is "${input}"; it must be the address of a collector that takes OTLP over HTTP, such as http://localhost:4318. Correct it, or remove it to send no spans.`,
  })

const variables = (production: boolean) =>
  z.object({
    NODE_ENV: oneOf('NODE_ENV', ['production', 'development', 'test'], 'development').optional(),
    HOST: z.string().optional(),
    PORT: wholeNumber('PORT', 65535, String(DEFAULT_PORT)).optional(),
    APP_URL: z
      .string()
      .refine(isWebAddress, {
        error: ({ input }) =>
          `APP_URL is "${input}"; it must be the address people type, such as https://app.example.com, without a path. Correct it.`,
      })
      .transform((value) => new URL(value).origin)
      .optional(),
    TRUSTED_PROXIES: wholeNumber('TRUSTED_PROXIES', 10, '0').optional(),
    DATABASE_URL: z
      .string()
      .refine(isDatabaseUrl, {
        // The value may hold a password, so it is not repeated.
        error:
          'DATABASE_URL is not an address PostgreSQL understands; it looks like postgresql://user:password@host:5432/database. Correct it, or remove it to use the PostgreSQL that comes with Meterkit.',
      })
      .optional(),
    STRIPE_SECRET: z
      .string()
      .regex(/^(sk|rk)_(test|live)_\S+$/, {
        error: ({ input }) =>
          `STRIPE_SECRET begins with "${String(input).slice(0, 3)}…"; a secret key begins with sk_test_, sk_live_, rk_test_ or rk_live_. Copy it from Stripe's dashboard (Developers, API keys), or remove it to use the local Stripe.`,
      })
      .optional(),
    STRIPE_WEBHOOK_SECRET: z
      .string()
      .transform((value) => value.split(',').map((secret) => secret.trim()))
      .refine((secrets) => secrets.every((secret) => /^whsec_\S+$/.test(secret)), {
        error:
          'STRIPE_WEBHOOK_SECRET holds something that does not begin with whsec_; it is one signing secret, or several with commas between them. Copy it from the webhook endpoint in Stripe, or from what stripe listen prints.',
      })
      .optional(),
    STRIPE_PRODUCTION_MODE: flag('STRIPE_PRODUCTION_MODE', 'Set it to true only together with a live key.').optional(),
    BILLING_SOURCE: oneOf('BILLING_SOURCE', ['organization', 'user'], 'organization').optional(),
    SYNC_SCHEDULE: z
      .string()
      .trim()
      .refine(isSchedule, {
        error: ({ input }) =>
          `SYNC_SCHEDULE is "${input}"; it must be a cron expression of five fields, such as "0 3 * * *", or @daily, @hourly or @minutely. Correct it, or remove it to get ${production ? '@daily' : 'every minute'}.`,
      })
      .optional(),
    BETTER_AUTH_SECRET: z
      .string()
      .min(32, {
        error: ({ input }) =>
          `BETTER_AUTH_SECRET has ${String(input).length} characters; it must have at least 32. Make one with: openssl rand -base64 32.`,
      })
      .optional(),
    ANTHROPIC_API_KEY: z.string().optional(),
    OPENAI_API_KEY: z.string().optional(),
    AI_MODEL: z.string().optional(),
    SMTP_URL: z
      .string()
      .refine((value) => /^smtps?:\/\//.test(value) && URL.canParse(value), {
        error:
          'SMTP_URL is not the address of a mail server; it looks like smtp://user:password@host:587. Correct it, or remove it to read mails on the mailbox page.',
      })
      .optional(),
    MAIL_FROM: z.string().optional(),
    LOG_LEVEL: oneOf('LOG_LEVEL', LOG_LEVELS, 'info').optional(),
    METERKIT_DATA_DIR: z.string().optional(),
    METERKIT_COLLECT: flag(
      'METERKIT_COLLECT',
      'False turns the collecting of usage off; remove it to collect.',
    ).optional(),
    METRICS_TOKEN: z
      .string()
      .regex(/^[\x21-\x7e]{16,}$/, {
        error:
          'METRICS_TOKEN is shorter than 16 characters, or holds something that no header takes. Make one with: openssl rand -hex 32.',
      })
      .optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector('OTEL_EXPORTER_OTLP_ENDPOINT').optional(),
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT').optional(),
    OTEL_SERVICE_NAME: z.string().optional(),
  })
/** Every environment variable the app reads. */
export const VARIABLE_NAMES: readonly string[] = Object.keys(variables(false).shape)
type Variables = z.output<ReturnType<typeof variables>>

/** What each variable allows, but not all of them together. */
function contradictions(given: Variables): string[] {
  const problems: string[] = []
  const { STRIPE_SECRET: secret, STRIPE_PRODUCTION_MODE: productionMode = false } = given
  const live = secret?.includes('_live_') ?? false
  if (live && !productionMode)
    problems.push(
      `STRIPE_SECRET is a live key (it begins with ${secret?.slice(0, 8)}), but STRIPE_PRODUCTION_MODE is not true. Give it a test key, or set STRIPE_PRODUCTION_MODE=true to charge real cards.`,
    )
  if (productionMode && secret && !live)
    problems.push(
      `STRIPE_PRODUCTION_MODE is true, but STRIPE_SECRET is a test key (it begins with ${secret.slice(0, 8)}). Give it the live key, or remove STRIPE_PRODUCTION_MODE to stay in test mode.`,
    )
  if (productionMode && !secret)
    problems.push(
      'STRIPE_PRODUCTION_MODE is true, but STRIPE_SECRET is missing. Give it the live key, or remove STRIPE_PRODUCTION_MODE to stay in test mode.',
    )
  if (secret && !given.STRIPE_WEBHOOK_SECRET)
    problems.push(
      'STRIPE_SECRET is set, but STRIPE_WEBHOOK_SECRET is missing; without it no webhook can be verified. Take it from `npx meterkit provision` or from `stripe listen`.',
    )
  problems.push(...keylessModel(given))
  if (given.NODE_ENV === 'production') problems.push(...missingInProduction(given))
  return problems
}

function keylessModel({ AI_MODEL: model, ANTHROPIC_API_KEY: anthropic, OPENAI_API_KEY: openai }: Variables): string[] {
  if (model === undefined) return []
  const provider = providerOf(model)
  if (provider === 'demo') return []
  if (provider === null) {
    if (anthropic || openai) return []
    return [
      `AI_MODEL is "${model}", but there is neither ANTHROPIC_API_KEY nor OPENAI_API_KEY. Set the key of its provider, or remove AI_MODEL to get the demo model.`,
    ]
  }
  const [name, key] = provider === 'anthropic' ? ['ANTHROPIC_API_KEY', anthropic] : ['OPENAI_API_KEY', openai]
  return key ? [] : [`AI_MODEL is "${model}", but ${name} is missing. Set it, or remove AI_MODEL.`]
}

function missingInProduction(given: Variables): string[] {
  const needed: [name: keyof Variables, why: string][] = [
    ['BETTER_AUTH_SECRET', 'sessions are signed with it. Make one with: openssl rand -base64 32'],
    ['APP_URL', 'links in mails and the address of the webhooks begin with it. Set it to https://your.address'],
    ['STRIPE_SECRET', "the local Stripe is for development. Copy the key from Stripe's dashboard"],
  ]
  return needed
    .filter(([name]) => given[name] === undefined)
    .map(([name, why]) => `${name} is missing, and NODE_ENV is production; ${why}, or remove NODE_ENV.`)
}

function toConfig(given: Variables): Config {
  const production = given.NODE_ENV === 'production'
  return {
    production,
    // The seeded administrator's password is known to everybody, so development stays on this machine.
    host: given.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: given.PORT ?? DEFAULT_PORT,
    portIsExplicit: given.PORT !== undefined,
    appUrl: given.APP_URL ?? null,
    trustedProxies: given.TRUSTED_PROXIES ?? 0,
    databaseUrl: given.DATABASE_URL ?? null,
    stripeSecret: given.STRIPE_SECRET ?? null,
    stripeWebhookSecrets: given.STRIPE_WEBHOOK_SECRET ?? [],
    stripeProductionMode: given.STRIPE_PRODUCTION_MODE ?? false,
    billingSource: given.BILLING_SOURCE ?? 'organization',
    syncSchedule: given.SYNC_SCHEDULE ?? (production ? '@daily' : EVERY_MINUTE),
    authSecret: given.BETTER_AUTH_SECRET ?? null,
    anthropicApiKey: given.ANTHROPIC_API_KEY ?? null,
    openaiApiKey: given.OPENAI_API_KEY ?? null,
    aiModel: given.AI_MODEL ?? null,
    smtpUrl: given.SMTP_URL ?? null,
    mailFrom: given.MAIL_FROM ?? 'Meterkit <no-reply@localhost>',
    logLevel: given.LOG_LEVEL ?? 'info',
    dataDirectory: resolve(PROJECT_DIRECTORY, given.METERKIT_DATA_DIR ?? '.meterkit'),
    collect: given.METERKIT_COLLECT ?? true,
    metricsToken: given.METRICS_TOKEN ?? null,
    traces: tracesOf(given),
  }
}

/** @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp */
function tracesOf(given: Variables): Config['traces'] {
  const base = given.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/$/, '')
  const url = given.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base}/v1/traces`)
  return url ? { url, serviceName: given.OTEL_SERVICE_NAME ?? 'meterkit' } : null
}

function isWebAddress(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, pathname, search, hash } = new URL(value)
  return (protocol === 'https:' || protocol === 'http:') && pathname === '/' && !search && !hash
}

/** A socket folder (`postgresql://user@/database?host=/run/postgresql`) has no host, which URL itself refuses. */
function isDatabaseUrl(value: string): boolean {
  return /^postgres(ql)?:\/\/./.test(value) && URL.canParse(value.replace(/^(\w+:\/\/(?:[^/]*@)?)\//, '$1localhost/'))
}

function isSchedule(value: string): boolean {
  if (/^@(minutely|hourly|daily|weekly|monthly|yearly)$/.test(value)) return true
  const fields = value.split(/\s+/)
  return fields.length === 5 && fields.every((field) => /^[\dA-Za-z*,/#?-]+$/.test(field))
}
