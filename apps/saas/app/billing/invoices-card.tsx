import type { InvoiceRow } from 'meterkit'
import { Card, CardHeader } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { Money } from '~/ui/money'
import { StatusBadge } from '~/ui/status-badge'
import { type Column, Table } from '~/ui/table'
import { Time } from '~/ui/time'

const columns: Column<InvoiceRow>[] = [
  {
    key: 'number',
    header: 'Invoice',
    cell: ({ number, hostedUrl, heldReason }) => (
      <>
        <span className="whitespace-nowrap font-mono text-xs">
          {hostedUrl ? (
            <a href={hostedUrl} className="text-accent hover:underline">
              {number ?? 'In preparation'}
            </a>
          ) : (
            (number ?? 'In preparation')
          )}
        </span>
        {heldReason && <span className="block text-muted text-xs">Held back: {heldReason}</span>}
      </>
    ),
  },
  {
    key: 'period',
    header: 'Period',
    wide: true,
    cell: ({ period }) => (
      <span className="whitespace-nowrap">
        <Time at={period.start} format="date" /> – <Time at={period.end} format="date" />
      </span>
    ),
  },
  { key: 'status', header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
  {
    key: 'amount',
    header: 'Amount',
    align: 'right',
    // Stripe adds up a draft's usage when it finalizes it; until then its total is not what will be charged.
    cell: ({ status, total, currency }) =>
      status === 'draft' ? <span className="text-muted">Not final</span> : <Money amount={total} currency={currency} />,
  },
  {
    key: 'pdf',
    header: <span className="sr-only">PDF</span>,
    align: 'right',
    wide: true,
    className: 'relative w-16',
    cell: ({ pdfUrl, number }) =>
      pdfUrl && (
        <a href={pdfUrl} className="text-accent hover:underline" aria-label={`PDF of invoice ${number ?? 'draft'}`}>
          PDF
        </a>
      ),
  },
]

/** What was billed, newest first, with Stripe's own documents. */
export function InvoicesCard({ invoices }: { invoices: InvoiceRow[] }) {
  return (
    <Card flush>
      <CardHeader className="mb-0 p-5" title="Invoices" />
      <div className="border-t">
        <Table
          caption="Invoices"
          columns={columns}
          rows={invoices}
          rowKey={({ stripeId }) => stripeId}
          empty={
            <EmptyState title="No invoices yet">
              The first one is written when the period ends, and appears here with its PDF.
            </EmptyState>
          }
        />
      </div>
    </Card>
  )
}
