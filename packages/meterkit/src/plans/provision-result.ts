export interface ProvisionStep {
  object: 'meter' | 'product' | 'price' | 'portal configuration' | 'webhook endpoint' | 'event destination'
  /** Event name, plan key, lookup key or address. */
  name: string
  action: 'unchanged' | 'create' | 'update' | 'replace'
  /** What differs, in words. */
  detail: string
  stripeId: string | null
}

export interface ProvisionResult {
  steps: ProvisionStep[]
  /** False when nothing differed. */
  changed: boolean
  dryRun: boolean
  /** Secrets Stripe tells only once, at creation: keep them as `STRIPE_WEBHOOK_SECRET`. */
  webhookSecrets: string[]
}
