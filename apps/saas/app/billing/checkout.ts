import { isLive } from 'meterkit'
import { redirect, redirectDocument } from 'react-router'
import { requireBillingManager, requirePayer } from 'saas/server/payer'
import { servicesContext } from 'saas/server/services'
import { notFound } from 'saas/server/session'
import type { Route } from './+types/checkout'
import { refusalOf } from './refusal.ts'

/** Buying begins with a button; who only follows a link sees the plans. */
export async function loader(args: Route.LoaderArgs) {
  const { basePath } = await requirePayer(args)
  return redirect(`${basePath}/subscribe`)
}

/** Leads to the hosted Checkout page. Somebody who has a subscription switches instead of buying a second one. */
export async function action(args: Route.ActionArgs) {
  const payer = await requireBillingManager(args)
  const { meterkit, appUrl } = args.context.get(servicesContext)
  const { plan } = args.params
  if (!meterkit.plans().some(({ key }) => key === plan)) throw notFound()
  if (payer.subscription && isLive(payer.subscription)) return redirect(`${payer.basePath}/billing/switch/${plan}`)
  try {
    const { source, sourceId, name, email } = payer
    const customer = await meterkit.customers.ensure({ source, sourceId, name, email })
    const { url } = await meterkit.subscriptions.checkout({
      customerId: customer.id,
      plan,
      successUrl: `${appUrl}${payer.basePath}/subscribed?session_id={CHECKOUT_SESSION_ID}`,
      cancelUrl: `${appUrl}${payer.basePath}/subscribe?reason=canceled`,
    })
    return redirectDocument(url)
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === null) throw error
    return redirect(`${payer.basePath}/subscribe?refused=${refusal.code}`)
  }
}
