import type { Payer } from 'saas/server/payer'

/** What a billing page knows of who pays; the rest of the payer stays on the server. */
export interface PayerView {
  source: 'user' | 'organization'
  name: string
  basePath: string
  billingPath: string
  /** May spend the money. */
  canManage: boolean
}

export function viewOf({ source, name, basePath, billingPath, role }: Payer): PayerView {
  return { source, name, basePath, billingPath, canManage: role !== 'member' }
}
