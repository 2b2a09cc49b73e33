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
    cell: ({ number, heldReason }) => (
      <>
        <span className="font-mono text-xs">{number ?? 'In preparation'}</span>
        {heldReason && <span className="block text-muted text-xs">Held back: {heldReason}</span>}
      </>
    ),
  },
  {
    key: 'period',
    header: 'Period',
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
    cell: ({ total, currency }) => <Money amount={total} currency={currency} />,
  },
  { key: 'links', header: <span className="sr-only">Documents</span>, align: 'right', cell: Documents },
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

function Documents({ hostedUrl, pdfUrl, number }: InvoiceRow) {
  const name = number ?? 'draft'
  return (
    <span className="inline-flex gap-3 whitespace-nowrap">
      {hostedUrl && (
        <a href={hostedUrl} className="text-accent hover:underline" aria-label={`View invoice ${name}`}>
          View
        </a>
      )}
      {pdfUrl && (
        <a href={pdfUrl} className="text-accent hover:underline" aria-label={`PDF of invoice ${name}`}>
          PDF
        </a>
      )}
    </span>
  )
}
