import type { Account, Kind, Wire } from '../account.ts'
import { type DiscountAmount, discountsOf } from '../discounts/apply.ts'
import type { Metadata } from '../http/params.ts'
import { listOf } from '../http/route.ts'
import type { Stored } from '../objects.ts'

export interface CreditNoteLine {
  id: string
  object: 'credit_note_line_item'
  amount: number
  description: string | null
  discount_amount: number
  discount_amounts: DiscountAmount[]
  invoice_line_item?: string
  livemode: false
  metadata: Metadata
  pretax_credit_amounts: []
  quantity: number | null
  tax_rates: []
  taxes: []
  type: 'custom_line_item' | 'invoice_line_item'
  unit_amount: number | null
  unit_amount_decimal: string | null
}

export interface CreditNote extends Stored {
  object: 'credit_note'
  amount: number
  currency: string
  customer: string
  customer_balance_transaction: string | null
  effective_at: number
  invoice: string
  livemode: false
  memo: string | null
  metadata: Metadata
  number: string
  out_of_band_amount: number | null
  pdf: string
  post_payment_amount: number
  pre_payment_amount: number
  reason: 'duplicate' | 'fraudulent' | 'order_change' | 'product_unsatisfactory' | null
  refunds: { amount_refunded: number; payment_record_refund: null; refund: string; type: 'refund' }[]
  status: 'issued' | 'void'
  type: 'mixed' | 'post_payment' | 'pre_payment'
  voided_at: number | null
  _lines: CreditNoteLine[]
}

const LINES_SHOWN = 10

export const creditNote: Kind = {
  type: 'credit_note',
  noun: 'credit note',
  references: {
    customer: 'customer',
    invoice: 'invoice',
    customer_balance_transaction: 'customer_balance_transaction',
    'discount_amounts.discount': 'discount',
    'refunds.refund': 'refund',
  },
  present: presentCreditNote,
}

/** One kept from before notes had lines shows its amount without any. */
export function presentCreditNote(_account: Account, { _lines = [], ...shown }: CreditNote): Wire {
  const subtotal = _lines.length === 0 ? shown.amount : _lines.reduce((sum, line) => sum + line.amount, 0)
  const earlier = { effective_at: shown.created, refunds: [] }
  return {
    ...earlier,
    ...shown,
    amount_shipping: 0,
    customer_account: null,
    discount_amount: _lines.reduce((sum, line) => sum + line.discount_amount, 0),
    discount_amounts: discountsOf(_lines),
    lines: {
      ...listOf(
        _lines.slice(0, LINES_SHOWN).map(wireOf),
        `/v1/credit_notes/${shown.id}/lines`,
        _lines.length > LINES_SHOWN,
      ),
    },
    pretax_credit_amounts: [],
    shipping_cost: null,
    subtotal,
    subtotal_excluding_tax: subtotal,
    total: shown.amount,
    total_excluding_tax: shown.amount,
    total_taxes: [],
  }
}

export function wireOf(line: CreditNoteLine): Wire {
  return { ...line }
}
