import type { Account } from '../account.ts'
import { formatPico, PICO } from '../billing/decimal.ts'
import { amountsIn, type Price } from '../catalogue/price.ts'
import type { Product } from '../catalogue/product.ts'
import { draftInvoice } from '../invoices/draft.ts'
import { finalizeInvoice } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { claimItems, createInvoiceItem, lineOfItem } from '../invoices/items.ts'
import { pricingOf, quantities } from '../invoices/line.ts'
import { attachPayment } from '../invoices/payment.ts'
import type { PaymentIntent } from '../payments/payment-intent.ts'
import type { Customer } from '../resources/customers.ts'
import type { CheckoutSession } from './session.ts'

/** The paid invoice that `invoice_creation` makes of a one-time payment. */
export function invoiceFor(
  account: Account,
  session: CheckoutSession,
  customer: Customer,
  paid: PaymentIntent,
): Invoice {
  const { description, footer, custom_fields, metadata } = session.invoice_creation!.invoice_data
  const now = account.seconds(customer.test_clock)
  const items = session._lines.map((line) => {
    const price = account.get<Price>('price', line.price)
    return createInvoiceItem(account, {
      amount: line.amount,
      currency: line.currency,
      customer: customer.id,
      description: account.get<Product>('product', price.product).name,
      metadata: line.metadata,
      period: { start: now, end: now },
      pricing: pricingOf(price, amountsIn(price, line.currency)?.unit_amount_decimal ?? formatPico(0n)),
      ...quantities(BigInt(line.quantity ?? 1) * PICO),
      test_clock: customer.test_clock,
    })
  })
  const draft = draftInvoice(account, {
    customer,
    subscription: null,
    reason: 'manual',
    lines: items.map(lineOfItem),
    usage: [],
    period: { start: now, end: now },
    currency: session.currency!,
    autoAdvance: false,
    description,
    metadata,
    fields: { ...(footer !== null && { footer }), ...(custom_fields && { custom_fields }) },
  })
  claimItems(account, items, draft.id)
  const open = finalizeInvoice(account, draft.id)
  if (open.status === 'open') attachPayment(account, open, account.get<PaymentIntent>('payment_intent', paid.id))
  return account.get<Invoice>('invoice', draft.id)
}
