import { isLive } from 'meterkit'
import { dueOf } from '../app/billing/balance.ts'
import { type Theme, themeOf } from '../app/frame/theme-cookie.ts'
import { type MemberRole, type Organization, organizationsOf } from './organizations.ts'
import { type Services, servicesContext } from './services.ts'
import { type PageArgs, requireUser, type SessionUser, sessionOf } from './session.ts'

/** What stands around every page of the app. */
export interface FrameData {
  user: SessionUser
  /** An administrator looks at the app as this user; signing out leads back. */
  impersonated: boolean
  organizations: (Organization & { role: MemberRole })[]
  /** The one in the address, if the user is a member. */
  organization: { slug: string; name: string; role: MemberRole } | null
  billingSource: 'user' | 'organization'
  /** The running period of whoever pays here; null without a live subscription. */
  periodCost: PeriodCost | null
  theme: Theme
  development: {
    /** Null with a real Stripe. */
    stripeLocalUrl: string | null
    mailbox: boolean
  }
}

export interface PeriodCost {
  /** Minor units, as on the billing page: with what earlier invoices left. */
  amount: number
  currency: string
  /** `12,345 tokens`. */
  usageLabel: string
}

/** @throws a redirect to the sign-in page */
export async function frameData(args: PageArgs): Promise<FrameData> {
  const user = await requireUser(args)
  const services = args.context.get(servicesContext)
  const { config, pool, stripeLocal } = services
  const organizations = await organizationsOf(pool, user.id)
  const organization = organizations.find(({ slug }) => slug === args.params.slug) ?? null
  const sourceId = config.billingSource === 'user' ? user.id : organization?.id
  return {
    user,
    impersonated: (await sessionOf(args))?.impersonatedBy != null,
    organizations: organizations.map(({ id, slug, name, role }) => ({ id, slug, name, role })),
    organization: organization && { slug: organization.slug, name: organization.name, role: organization.role },
    billingSource: config.billingSource,
    periodCost: sourceId ? await periodCost(services, sourceId) : null,
    theme: themeOf(args.request),
    development: { stripeLocalUrl: stripeLocal?.url ?? null, mailbox: !config.production || config.smtpUrl === null },
  }
}

/** A page must not fail because the figure above it cannot be had. */
async function periodCost({ config, meterkit, log }: Services, sourceId: string): Promise<PeriodCost | null> {
  try {
    const customer = await meterkit.customers.find(config.billingSource, sourceId)
    const subscription = customer && (await meterkit.subscriptions.ofCustomer(customer.id))
    if (!subscription || !isLive(subscription)) return null
    const charges = await meterkit.invoices.upcoming(subscription.id)
    const usage = await meterkit.usage.current(subscription.id)
    if (!charges || !usage) return null
    const labels = usage.meters.map(({ quantity, unit }) => `${formatted(quantity)} ${unit}`)
    const { amount } = dueOf(charges.amount, charges.carried)
    return { amount: Number(amount), currency: charges.currency, usageLabel: labels.join(' · ') }
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'the period so far cannot be shown')
    return null
  }
}

function formatted(quantity: string): string {
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 }).format(quantity as `${number}`)
}
