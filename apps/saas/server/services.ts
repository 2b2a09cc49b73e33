import type { Meterkit } from 'meterkit'
import type pg from 'pg'
import type { PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import { createContext } from 'react-router'
import type { Stripe } from 'stripe'
import type { StripeLocal } from 'stripe-local'
import type { Auth } from './auth.ts'
import type { Config } from './config.ts'
import type { Mail } from './mail.ts'

/** What the running app consists of; a page reaches it by `context.get(servicesContext)`. */
export interface Services {
  config: Config
  /** The address people use, without a trailing slash. */
  appUrl: string
  pool: pg.Pool
  auth: Auth
  boss: PgBoss
  stripe: Stripe
  /** Null with a real Stripe. */
  stripeLocal: StripeLocal | null
  meterkit: Meterkit
  log: Logger
  clock: () => Date
  mail: (mail: Mail) => Promise<void>
}

export const servicesContext = createContext<Services>()

/** What is known of one request besides the request itself. */
export interface Visit {
  id: string
  /** The visitor's IP address, proxies considered. */
  address: string
  /** For script tags; the content security policy of the answer names it. */
  nonce: string
  /** Set-Cookie headers that loaders and actions want in the answer. */
  cookies: string[]
}

export const visitContext = createContext<Visit>()
