/** What of the frame's data decides the menus. */
export interface Viewer {
  isAdmin: boolean
  /** The organization one is in. */
  organization: { slug: string; name: string } | null
  billingSource: 'user' | 'organization'
  /** Whoever pays here has a live subscription. */
  subscribed: boolean
  stripeLocalUrl: string | null
  mailbox: boolean
}

export interface MenuLink {
  label: string
  to: string
  icon: MenuIcon
  /** Current only at this very address, not below it. */
  end?: boolean
  /** Leaves the pages' router: the jobs dashboard, the local Stripe. */
  external?: boolean
}

export type MenuIcon =
  | 'overview'
  | 'chat'
  | 'billing'
  | 'subscribe'
  | 'members'
  | 'settings'
  | 'pipe'
  | 'events'
  | 'reports'
  | 'reconciliation'
  | 'webhooks'
  | 'ai-calls'
  | 'customers'
  | 'users'
  | 'organizations'
  | 'jobs'
  | 'audit'
  | 'mailbox'
  | 'stripe'

export interface MenuSection {
  /** Null for the first, which needs no name. */
  label: string | null
  links: MenuLink[]
}

/** The sidebar for this viewer: the payer's pages, the organization's, the operator's. */
export function menuOf(viewer: Viewer): MenuSection[] {
  const { organization, billingSource, subscribed } = viewer
  const sections: MenuSection[] = []
  if (billingSource === 'user') sections.push({ label: null, links: personalLinks(subscribed) })
  if (organization) {
    const label = billingSource === 'user' ? organization.name : null
    sections.push({ label, links: organizationLinks(organization.slug, billingSource === 'organization') })
  }
  if (!organization) sections.push({ label: null, links: [organizationsLink] })
  if (viewer.isAdmin) sections.push({ label: 'Admin', links: adminLinks(viewer) })
  return sections
}

const organizationsLink: MenuLink = { label: 'Organizations', to: '/app/organizations', icon: 'organizations' }

function personalLinks(subscribed: boolean): MenuLink[] {
  return [
    { label: 'AI Chat', to: '/app/ai-chat', icon: 'chat' },
    { label: subscribed ? 'Plans' : 'Subscribe', to: '/app/subscribe', icon: 'subscribe' },
    { label: 'Usage & billing', to: '/app/billing', icon: 'billing' },
  ]
}

function organizationLinks(slug: string, pays: boolean): MenuLink[] {
  const base = `/app/org/${slug}`
  const paying: MenuLink[] = [
    { label: 'AI Chat', to: `${base}/ai-chat`, icon: 'chat' },
    { label: 'Usage & billing', to: `${base}/settings/billing`, icon: 'billing' },
  ]
  return [
    { label: 'Overview', to: base, icon: 'overview', end: true },
    ...(pays ? paying : []),
    { label: 'Members', to: `${base}/settings/members`, icon: 'members' },
    { label: 'Settings', to: `${base}/settings`, icon: 'settings', end: true },
  ]
}

function adminLinks({ stripeLocalUrl, mailbox }: Viewer): MenuLink[] {
  const links: MenuLink[] = [
    { label: 'Overview', to: '/admin', icon: 'pipe', end: true },
    { label: 'Meter events', to: '/admin/meter-events', icon: 'events' },
    { label: 'Reports', to: '/admin/reports', icon: 'reports' },
    { label: 'Reconciliation', to: '/admin/reconciliation', icon: 'reconciliation' },
    { label: 'Webhooks', to: '/admin/webhooks', icon: 'webhooks' },
    { label: 'AI calls', to: '/admin/ai-calls', icon: 'ai-calls' },
    { label: 'Customers', to: '/admin/customers', icon: 'customers' },
    { label: 'Users', to: '/admin/users', icon: 'users' },
    { label: 'Organizations', to: '/admin/organizations', icon: 'organizations' },
    { label: 'Jobs', to: '/admin/jobs', icon: 'jobs', external: true },
    { label: 'Audit', to: '/admin/audit', icon: 'audit' },
  ]
  if (mailbox) links.push({ label: 'Mailbox', to: '/admin/mailbox', icon: 'mailbox' })
  if (stripeLocalUrl) links.push({ label: 'Local Stripe', to: stripeLocalUrl, icon: 'stripe', external: true })
  return links
}

/** Where whoever pays here sees what it costs and picks a plan; null where nobody does. */
export function payerPaths({ organization, billingSource }: Viewer): { billing: string; subscribe: string } | null {
  if (billingSource === 'user') return { billing: '/app/billing', subscribe: '/app/subscribe' }
  if (!organization) return null
  const base = `/app/org/${organization.slug}`
  return { billing: `${base}/settings/billing`, subscribe: `${base}/subscribe` }
}

export interface Crumb {
  label: string
  /** Null for the page one is on, and for steps that have no page. */
  to: string | null
}

/** What the steps of an address are called, where it is not the word itself. */
const names: Record<string, string> = {
  'ai-chat': 'AI chat',
  'ai-calls': 'AI calls',
  'two-factor-authentication': 'Two-factor authentication',
  billing: 'Usage & billing',
  subscribe: 'Plans',
  new: 'New organization',
}

/** Steps of an address that hold no page of their own. */
const pageless = new Set(['/app/users', '/app/billing/switch', '/app/checkout'])

/** The way to this page, from its address. */
export function breadcrumb(pathname: string, organizationName: string | null): Crumb[] {
  const steps = pathname.split('/').filter(Boolean)
  const crumbs: Crumb[] = []
  for (const index of steps.keys()) {
    const to = `/${steps.slice(0, index + 1).join('/')}`
    const label = crumbLabel(steps, index, organizationName)
    if (label === null) continue
    const scope = to.replace(/^\/app\/org\/[^/]+/, '/app')
    crumbs.push({ label, to: index === steps.length - 1 || pageless.has(scope) ? null : to })
  }
  return crumbs
}

function crumbLabel(steps: string[], index: number, organizationName: string | null): string | null {
  const step = steps[index] ?? ''
  const parent = steps[index - 1]
  if (index === 0) return step === 'admin' ? 'Admin' : null
  if (step === 'org' && index === 1) return null
  if (parent === 'org' && index === 2) return organizationName ?? step
  if (step === 'users' && steps[0] === 'app') return 'Account'
  if (parent === 'ai-chat') return null // a conversation's id; its name is the page's heading
  if (step === 'billing' && steps[0] === 'app' && index < steps.length - 1) return null // .../billing/switch/business
  if (parent === 'meter-events' || parent === 'webhooks') return step.length > 14 ? `${step.slice(0, 8)}…` : step
  return names[step] ?? capitalized(step.replaceAll('-', ' '))
}

function capitalized(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
