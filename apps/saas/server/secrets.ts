import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface KeptSecrets {
  auth: string
  /** Of the local Stripe's webhook endpoints, newest first. */
  webhooks: string[]
}

/** Secrets that nobody configured, made on the first start and kept in the data directory (development only). */
export interface Secrets {
  auth: () => string
  webhooks: () => string[]
  addWebhooks: (secrets: string[]) => void
}

/** Endpoints come and go with the local Stripe's state; a few old secrets do no harm. */
const WEBHOOK_SECRETS_KEPT = 6

/** @throws Error when the file exists and cannot be read */
export function openSecrets(dataDirectory: string): Secrets {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  const file = join(dataDirectory, 'secrets.json')
  const kept: KeptSecrets = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { auth: randomBytes(32).toString('base64url'), webhooks: [] }
  const save = () => {
    writeFileSync(`${file}.new`, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
  if (!existsSync(file)) save()
  return {
    auth: () => kept.auth,
    webhooks: () => kept.webhooks,
    addWebhooks: (secrets) => {
      if (secrets.length === 0) return
      kept.webhooks = [...secrets, ...kept.webhooks].slice(0, WEBHOOK_SECRETS_KEPT)
      save()
    },
  }
}
