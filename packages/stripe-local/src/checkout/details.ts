import type { Wire } from '../account.ts'
import type { CheckoutPayer } from '../pages/context.ts'
import type { Customer } from '../resources/customers.ts'
import { wholeAddress } from '../resources/payment-methods.ts'
import type { Mode } from './session.ts'

/** `customer_details`: what is known of the customer, and what the page collected beside it. */
export function detailsOf(
  mode: Mode,
  customer: Customer | null,
  payer: { [part in 'email' | 'name' | 'phone' | 'businessName' | 'individualName']?: string | null } & Pick<
    CheckoutPayer,
    'address'
  >,
): Wire {
  const address = payer.address ?? customer?.address ?? null
  return {
    // "Customer's address details are not present on Sessions in `setup` mode" (Session.customer_details).
    address: mode === 'setup' || address === null ? null : wholeAddress(address),
    business_name: (payer.businessName || customer?.business_name) ?? null,
    email: customer?.email ?? payer.email ?? null,
    individual_name: (payer.individualName || customer?.individual_name) ?? null,
    name: (payer.name || customer?.name) ?? null,
    phone: (payer.phone || customer?.phone) ?? null,
    tax_exempt: customer?.tax_exempt ?? 'none',
    tax_ids: [],
  }
}
