import type { SyncResult } from 'meterkit'
import { audit } from 'saas/server/audit'
import type { Services } from 'saas/server/services'
import type { SessionUser } from 'saas/server/session'

/** Reports what is recorded to Stripe now, what this process still holds in its journal included. */
export async function syncNow(services: Services, actor: SessionUser): Promise<SyncResult> {
  const { meterkit } = services
  await Promise.race([meterkit.events.drained(), after(DRAIN_MS_MAX)])
  const result = await meterkit.reports.sync()
  await audit(services, { actor, action: 'usage.sync', object: 'all customers', detail: { ...result } })
  return result
}

/** With the database in trouble the sync is not worth waiting for what cannot arrive. */
const DRAIN_MS_MAX = 5_000

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
