import type { PoolClient } from 'pg'
import { type Database, firstRow, rows } from '../database/database.ts'
import type { Report } from './report.ts'
import { failAccepted } from './store.ts'

/*
 * Stripe may price a segment before we hear of it: at a switch or a cancellation made there, or with an invoice that
 * becomes final while a report is on its way. What Stripe takes after that it counts, and never bills. So when Stripe
 * took a report is kept, by its own clock, and compared with when it priced the segment, whichever is known first.
 */

const UNBILLED =
  'Stripe took it after it had closed this part of the period, so that no invoice carries it; its usage is reported anew'
/** Stripe takes what is up to 35 days old, and we hear of its changes within weeks. */
const DAYS_BACK = 75

const PRICED_AT = /* sql */ `(
  select priced_at from billing.segments
  where customer_id = report.customer_id and subscription_id = report.subscription_id
    and starts_at <= case when report.late then report.reported_for else report.since end
  order by starts_at desc limit 1
)`

/**
 * @param receivedAt  when Stripe took it, by its own clock; null where it has not told
 * @returns false where no invoice will carry it: its usage is among the unreported again
 */
export async function acceptReport(
  db: Database,
  { customerId, id }: Report,
  { now, receivedAt }: { now: Date; receivedAt: Date | null },
): Promise<boolean> {
  const accepted = await firstRow<{ unbilled: boolean }>(
    db,
    /* sql */ `
    with judged as (
      select coalesce(kind = 'usage' and $4::timestamptz > ${PRICED_AT}, false) as unbilled
      from billing.reports as report where customer_id = $1 and id = $2
    )
    update billing.reports as report
    set status = case when judged.unbilled then 'failed' else 'accepted' end, received_at = $4,
        accepted_at = case when judged.unbilled then null else $3::timestamptz end,
        unbilled = judged.unbilled, error = case when judged.unbilled then $5 end
    from judged
    where customer_id = $1 and id = $2 and status in ('pending', 'unsure')
    returning report.unbilled`,
    [customerId, id, now, receivedAt, UNBILLED],
  )
  if (!accepted?.unbilled) return true
  await db.query('select billing.clear_report($1, $2)', [customerId, id])
  return false
}

/** To be called where segments are closed, in the same transaction. */
export async function releaseUnbilled(
  client: PoolClient,
  { customerId, id: subscriptionId }: { customerId: string; id: string },
  now: Date,
): Promise<void> {
  const found = await rows<{ id: string }>(
    client,
    /* sql */ `
    select id from billing.reports as report
    where customer_id = $1 and subscription_id = $2 and status = 'accepted' and kind = 'usage'
      and since > $3::timestamptz - make_interval(days => $4) and received_at > ${PRICED_AT}
    order by id`,
    [customerId, subscriptionId, now, DAYS_BACK],
  )
  for (const { id } of found) await failAccepted(client, { customerId, id }, { error: UNBILLED, unbilled: true })
}
