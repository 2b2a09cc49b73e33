import type { SyncResult } from 'meterkit'
import { audit } from 'saas/server/audit'
import type { Services } from 'saas/server/services'
import type { SessionUser } from 'saas/server/session'

/** What a sync did, and the reports that wait for Stripe all the same. */
export type SyncDeed = SyncResult & { waiting: number }

/** Reports what is recorded to Stripe now, what this process still holds in its journal and what backs off included. */
export async function syncNow(services: Services, actor: SessionUser): Promise<SyncDeed> {
  const result = await services.meterkit.reports.sync({ urgent: true })
  await audit(services, { actor, action: 'usage.sync', object: 'all customers', detail: { ...result } })
  const { pending } = await services.meterkit.reports.counts()
  return { ...result, waiting: pending }
}

/** Clears the errors of failed usage; the next sync sends it again. @returns how many reports were cleared */
export async function clearErrors(
  services: Services,
  actor: SessionUser,
  which: { eventIds: string[] } | { error: string },
): Promise<number> {
  const cleared = await services.meterkit.events.retry(which)
  const object = 'error' in which ? 'all with one error' : which.eventIds.join(' ')
  await audit(services, { actor, action: 'event.retry', object, detail: { ...which, cleared } })
  return cleared
}
