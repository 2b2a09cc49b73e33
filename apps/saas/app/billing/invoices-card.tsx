import type { InvoiceRow } from 'meterkit'
import type { ReactNode } from 'react'
import { Card, CardHeader } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { Money } from '~/ui/money'
import { StatusBadge } from '~/ui/status-badge'
import { type Column, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import { settlementOf } from './balance.ts'

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
  { key: 'status', header: 'Status', cell: (invoice) => <Status invoice={invoice} /> },
  {
    key: 'amount',
    header: 'Amount',
    align: 'right',
    // Stripe adds up a draft's usage when it finalizes it; until then its total is not what will be charged.
    cell: (invoice) =>
      invoice.status === 'draft' ? <span className="text-muted">Not final</span> : <Charged invoice={invoice} />,
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

/** An invoice that is too little for a card is paid in Stripe's books, and nobody has paid anything. */
function Status({ invoice }: { invoice: InvoiceRow }) {
  return settlementOf(invoice).kind === 'carried_over' ? (
    <StatusBadge status="paid" label="Not charged" tone="muted" />
  ) : (
    <StatusBadge status={invoice.status} />
  )
}

/** What the card is asked for, and what the balance had to do with it. */
function Charged({ invoice }: { invoice: InvoiceRow }) {
  const settlement = settlementOf(invoice)
  const money = (amount: bigint) => <Money amount={amount} currency={invoice.currency} />
  switch (settlement.kind) {
    case 'plain':
      return money(settlement.charged)
    case 'carried_over':
      return (
        <>
          {money(settlement.amount)} <Beside>carried over</Beside>
        </>
      )
    case 'with_carried':
      return (
        <>
          {money(settlement.charged)} <Beside>incl. {money(settlement.carried)} carried over</Beside>
        </>
      )
    case 'less_credit':
      return (
        <>
          {money(settlement.charged)} <Beside>after {money(settlement.credit)} of credit</Beside>
        </>
      )
  }
}

function Beside({ children }: { children: ReactNode }) {
  return <span className="block text-muted text-xs">{children}</span>
}

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
