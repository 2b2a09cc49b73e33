import { redirect, redirectDocument } from 'react-router'
import { requireBillingManager, requirePayer } from 'saas/server/payer'
import { servicesContext } from 'saas/server/services'
import type { Route } from './+types/portal'
import { refusalOf } from './refusal.ts'

export async function loader(args: Route.LoaderArgs) {
  const { billingPath } = await requirePayer(args)
  return redirect(billingPath)
}

/** Leads to Stripe's customer portal; with `flow=payment_method_update` straight to the card. */
export async function action(args: Route.ActionArgs) {
  const { customer, billingPath, basePath } = await requireBillingManager(args)
  const { meterkit, appUrl } = args.context.get(servicesContext)
  if (!customer?.stripeId) return redirect(`${basePath}/subscribe`)
  const toCard = (await args.request.formData()).get('flow') === 'payment_method_update'
  try {
    const { url } = await meterkit.subscriptions.portal({
      customerId: customer.id,
      returnUrl: `${appUrl}${billingPath}`,
      ...(toCard && { flow: 'payment_method_update' }),
    })
    return redirectDocument(url)
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === null) throw error
    return redirect(`${billingPath}?refused=${refusal.code}`)
  }
}
