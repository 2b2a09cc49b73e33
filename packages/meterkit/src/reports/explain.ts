import { DAYS_TAKEN } from './placement.ts'
import type { ComparedReport } from './reconcile-store.ts'
import type { DifferenceCause } from './reconciliation.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** The likely cause of a difference, and what is to be done, in sentences for an operator. */
export function explain(cause: DifferenceCause, reports: readonly ComparedReport[], silentWebhook: boolean): string {
  const one = reports.length === 1
  const count = one ? '1 report' : `${reports.length} reports`
  const [them, their] = one ? ['it', 'its'] : ['them', 'their']
  if (cause === 'missing') {
    const tooOld = reports.every(
      ({ timestamp, acceptedAt }) => (acceptedAt?.getTime() ?? 0) - timestamp.getTime() > DAYS_TAKEN * DAY_MS,
    )
    const why = tooOld
      ? `${their} ${one ? 'timestamp was' : 'timestamps were'} older than the ${DAYS_TAKEN} days Stripe takes`
      : silentWebhook
        ? `it refused ${them} later, and a webhook that may say so is not processed yet`
        : `it refused ${them} later, and the webhook that says so never arrived`
    return `Stripe accepted ${count} and does not have ${them}; most likely ${why}. Mending sends ${their} usage again under ${one ? 'a new identifier' : 'new identifiers'}.`
  }
  if (cause === 'recent') {
    return 'Accepted less than 10 minutes ago; Stripe adds up after it has answered. Compare again in a few minutes.'
  }
  if (cause === 'in_doubt') {
    return `Stripe has ${count} whose answer was lost on the way. The next sync settles that; nothing is sent twice.`
  }
  if (cause === 'cleared') {
    return `Stripe has ${count} whose error was cleared and whose usage was sent again: it is counted twice. Cancel ${them} at Stripe within 24 hours (a meter event adjustment), or credit the customer.`
  }
  if (cause === 'foreign') {
    return 'Stripe has usage that this system has not sent: by another program or a person with the same meter, or from another database. Find who sends it; nothing is changed here.'
  }
  return 'More than one set of reports, or none, explains what Stripe has. Compare by hand: nothing is sent again, because it might be counted twice.'
}
