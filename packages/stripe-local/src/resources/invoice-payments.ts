import { oneOf, range, required, shape, text } from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import type { InvoicePayment } from '../invoices/payment.ts'

export const invoicePaymentRoutes = [
  route(
    'GET',
    '/v1/invoice_payments',
    {
      ...paging,
      created: range(),
      invoice: text(),
      payment: shape({ payment_intent: text(), type: required(oneOf('payment_intent')) }),
      status: oneOf('canceled', 'open', 'paid'),
    },
    (account, params) =>
      listPage<InvoicePayment>(account, 'invoice_payment', '/v1/invoice_payments', params, {
        where: {
          '$.invoice': params.invoice,
          '$.payment.payment_intent': params.payment?.payment_intent,
          '$.status': params.status,
        },
        ...(params.created && { created: params.created }),
      }),
  ),

  route('GET', '/v1/invoice_payments/:id', {}, (account, _params, { id }) =>
    account.present(account.get<InvoicePayment>('invoice_payment', id!)),
  ),
]
