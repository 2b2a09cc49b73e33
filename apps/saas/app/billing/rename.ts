import type { Services } from 'saas/server/services'

/**
 * Brings a new name to the customer of whoever pays, and so to Stripe, whose invoices carry it. Somebody who has never
 * begun a checkout is no customer, and becomes none.
 *
 * @param email  where it has changed as well; else the customer keeps the one it has
 */
export async function renameCustomer(
  { meterkit }: Pick<Services, 'meterkit'>,
  {
    source,
    sourceId,
    name,
    email,
  }: { source: 'user' | 'organization'; sourceId: string; name: string; email?: string },
): Promise<void> {
  const customer = await meterkit.customers.find(source, sourceId)
  if (!customer) return
  await meterkit.customers.ensure({ source, sourceId, name, email: email ?? customer.email })
}
