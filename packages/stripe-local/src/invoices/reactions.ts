import type { Account } from '../account.ts'
import type { Invoice } from './invoice.ts'

/** What becomes of an invoice's subscription. Handed in (`account.invoiceReactions`), so that invoices need not know subscriptions. */
export interface InvoiceReactions {
  /** It was paid, or nothing was due. */
  settled: (account: Account, paid: Invoice) => void
  /** A charge failed; after the last try no other follows by itself. */
  unpaid: (account: Account, open: Invoice, wasLastTry: boolean) => void
  /** It was given up as uncollectible. */
  forgiven: (account: Account, given: Invoice) => void
  /** It was voided. */
  voided: (account: Account, voided: Invoice) => void
  /** It was sent to be paid and its due date has passed. */
  overdue: (account: Account, open: Invoice) => void
}
