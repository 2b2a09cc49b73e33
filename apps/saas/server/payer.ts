import { type Customer, isLive, type Subscription } from 'meterkit'
import { data, redirect } from 'react-router'
import { isManager, type MemberRole, requireMembership } from './organizations.ts'
import { servicesContext } from './services.ts'
import { notFound, type PageArgs, requireUser, type SessionUser, wantsJson } from './session.ts'

/** Who pays on this page: the organization in the address, or the user. */
export interface Payer {
  source: 'user' | 'organization'
  sourceId: string
  name: string
  email: string
  /** `/app`, or `/app/org/acme`. */
  basePath: string
  /** `/app/billing`, or `/app/org/acme/settings/billing`. */
  billingPath: string
  role: MemberRole
  user: SessionUser
  /** Null before the first checkout. */
  customer: Customer | null
  /** The live one, else the latest that ended, else null. */
  subscription: Subscription | null
}

export type Subscriber = Payer & { customer: Customer; subscription: Subscription }

/**
 * Who pays, with customer and subscription.
 *
 * @throws 404 for an organization one is no member of, and where the setting `BILLING_SOURCE` says that the other pays
 */
export async function requirePayer(args: PageArgs): Promise<Payer> {
  const { config, meterkit } = args.context.get(servicesContext)
  const payer = args.params.slug === undefined ? await userAsPayer(args) : await organizationAsPayer(args)
  if (payer.source !== config.billingSource) throw absent(args)
  const customer = await meterkit.customers.find(payer.source, payer.sourceId)
  const subscription = customer && (await meterkit.subscriptions.ofCustomer(customer.id))
  return { ...payer, customer, subscription }
}

/** A payer with a live subscription. @throws a redirect to Subscribe that says why, or 402 for who asks for JSON */
export async function requireSubscriber(args: PageArgs): Promise<Subscriber> {
  const payer = await requirePayer(args)
  const { customer, subscription } = payer
  if (customer && subscription && isLive(subscription)) return { ...payer, customer, subscription }
  if (wantsJson(args.request)) {
    const error = 'This needs a subscription.'
    throw Response.json({ error, subscribe: `${payer.basePath}/subscribe` }, { status: 402 })
  }
  throw redirect(`${payer.basePath}/subscribe?reason=no-subscription`)
}

/** A payer whose user may spend the money: an owner or admin, or the user himself. @throws 403 with a sentence */
export async function requireBillingManager(args: PageArgs): Promise<Payer> {
  const payer = await requirePayer(args)
  if (isManager(payer.role)) return payer
  const sentence = `Only owners and admins of ${payer.name} can change its billing. Ask one of them.`
  if (wantsJson(args.request)) throw Response.json({ error: sentence }, { status: 403 })
  throw data(sentence, { status: 403, statusText: 'Forbidden' })
}

type PayerWithoutBilling = Omit<Payer, 'customer' | 'subscription'>

async function userAsPayer(args: PageArgs): Promise<PayerWithoutBilling> {
  const user = await requireUser(args)
  return {
    source: 'user',
    sourceId: user.id,
    name: user.name,
    email: user.email,
    basePath: '/app',
    billingPath: '/app/billing',
    role: 'owner',
    user,
  }
}

async function organizationAsPayer(args: PageArgs): Promise<PayerWithoutBilling> {
  const { user, organization, role } = await requireMembership(args)
  const basePath = `/app/org/${organization.slug}`
  return {
    source: 'organization',
    sourceId: organization.id,
    name: organization.name,
    // Stripe writes to whoever subscribes.
    email: user.email,
    basePath,
    billingPath: `${basePath}/settings/billing`,
    role,
    user,
  }
}

function absent({ request }: PageArgs) {
  return wantsJson(request) ? Response.json({ error: 'There is nothing here.' }, { status: 404 }) : notFound()
}
