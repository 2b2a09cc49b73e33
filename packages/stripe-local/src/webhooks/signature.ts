import { createHmac } from 'node:crypto'

/**
 * The `Stripe-Signature` header of a body sent at `seconds`: one v1 for each secret in force. The key is the whole secret,
 * `whsec_` included.
 */
export function signatureHeader(body: string, secrets: string[], seconds: number): string {
  const signatures = secrets.map((secret) => {
    const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
    return `v1=${signature}`
  })
  return [`t=${seconds}`, ...signatures].join(',')
}
