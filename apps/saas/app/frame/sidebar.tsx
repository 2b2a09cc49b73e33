import Bot from 'lucide-react/icons/bot'
import Building2 from 'lucide-react/icons/building-2'
import ChevronsUpDown from 'lucide-react/icons/chevrons-up-down'
import CreditCard from 'lucide-react/icons/credit-card'
import ExternalLink from 'lucide-react/icons/external-link'
import FileClock from 'lucide-react/icons/file-clock'
import Gauge from 'lucide-react/icons/gauge'
import House from 'lucide-react/icons/house'
import Layers from 'lucide-react/icons/layers'
import ListChecks from 'lucide-react/icons/list-checks'
import Mail from 'lucide-react/icons/mail'
import MessageSquare from 'lucide-react/icons/message-square'
import Plus from 'lucide-react/icons/plus'
import Scale from 'lucide-react/icons/scale'
import Send from 'lucide-react/icons/send'
import Settings from 'lucide-react/icons/settings'
import Sparkles from 'lucide-react/icons/sparkles'
import SquareTerminal from 'lucide-react/icons/square-terminal'
import UserRound from 'lucide-react/icons/user-round'
import Users from 'lucide-react/icons/users'
import Wallet from 'lucide-react/icons/wallet'
import Webhook from 'lucide-react/icons/webhook'
import type { ComponentType } from 'react'
import { Link, NavLink } from 'react-router'
import type { FrameData } from 'saas/server/frame'
import { cn } from '../ui/cn.ts'
import { Menu } from '../ui/menu.tsx'
import { Logo } from './logo.tsx'
import { type MenuIcon, type MenuLink, menuOf, type Viewer } from './navigation.ts'
import { PersonMenu } from './person-menu.tsx'

const icons: Record<MenuIcon, ComponentType<{ className?: string; 'aria-hidden'?: boolean }>> = {
  overview: House,
  chat: MessageSquare,
  billing: CreditCard,
  subscribe: Sparkles,
  members: Users,
  settings: Settings,
  pipe: Gauge,
  events: Layers,
  reports: Send,
  reconciliation: Scale,
  webhooks: Webhook,
  'ai-calls': Bot,
  customers: Wallet,
  users: UserRound,
  organizations: Building2,
  jobs: ListChecks,
  audit: FileClock,
  mailbox: Mail,
  stripe: SquareTerminal,
}

/** Where one is on top, where one can go below, who one is at the bottom. */
export function Sidebar({ data, viewer }: { data: FrameData; viewer: Viewer }) {
  return (
    <div className="flex h-full flex-col">
      <div className="flex h-14 shrink-0 items-center px-3">
        <OrganizationSwitcher data={data} viewer={viewer} />
      </div>
      <nav aria-label="Main" className="flex-1 overflow-y-auto px-3 pt-1 pb-4">
        {menuOf(viewer).map(({ label, links }, index) => (
          <div key={label ?? index} className="mt-5 first:mt-0">
            {label && <p className="truncate px-2.5 pb-1 text-muted text-xs">{label}</p>}
            <ul className="flex flex-col gap-px">
              {links.map((link) => (
                <li key={link.to}>
                  <SidebarLink link={link} />
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <div className="shrink-0 border-t p-3">
        <PersonMenu data={data} />
      </div>
    </div>
  )
}

function SidebarLink({ link: { label, to, icon, end, external } }: { link: MenuLink }) {
  const Icon = icons[icon]
  const classes =
    'flex h-8 items-center gap-2.5 rounded-lg px-2.5 text-muted transition-colors hover:bg-raised hover:text-text max-md:h-10'
  if (external) {
    return (
      <a href={to} className={classes} {...(to.startsWith('/') ? {} : { target: '_blank', rel: 'noreferrer' })}>
        <Icon className="size-4 shrink-0" aria-hidden />
        {label}
        <ExternalLink className="ml-auto size-3.5 shrink-0 opacity-70" aria-hidden />
      </a>
    )
  }
  return (
    <NavLink
      to={to}
      end={end}
      prefetch="intent"
      className={({ isActive }) => cn(classes, isActive && 'bg-raised font-medium text-text')}
    >
      <Icon className="size-4 shrink-0" aria-hidden />
      {label}
    </NavLink>
  )
}

function OrganizationSwitcher({ data: { organizations }, viewer }: { data: FrameData; viewer: Viewer }) {
  const current = viewer.organization
  const entries = organizations.map(({ slug, name }) => ({
    label: name,
    to: `/app/org/${slug}`,
    icon: <Monogram name={name} />,
    checked: slug === current?.slug,
  }))
  return (
    <>
      <Menu
        align="start"
        className="w-[13.5rem]"
        trigger={
          <button
            type="button"
            className="noscript:hidden flex h-10 w-full min-w-0 items-center gap-2.5 rounded-lg px-2 text-left transition-colors hover:bg-raised data-popup-open:bg-raised"
          >
            {current ? <Monogram name={current.name} /> : <Logo />}
            <span className="min-w-0 flex-1 truncate font-medium">
              <span className="sr-only">Organization: </span>
              {current?.name ?? 'Meterkit'}
            </span>
            <ChevronsUpDown className="size-4 shrink-0 text-muted" aria-hidden />
          </button>
        }
        groups={[
          ...(entries.length > 0 ? [{ label: 'Organizations', entries }] : []),
          {
            entries: [
              { label: 'All organizations', to: '/app/organizations', icon: <Building2 aria-hidden /> },
              { label: 'New organization', to: '/app/organizations/new', icon: <Plus aria-hidden /> },
            ],
          },
        ]}
      />
      <noscript>
        <Link to="/app/organizations">{current?.name ?? 'Organizations'}</Link>
      </noscript>
    </>
  )
}

function Monogram({ name }: { name: string }) {
  return (
    <span
      aria-hidden
      className="grid size-6 shrink-0 place-items-center rounded-md bg-accent-soft font-medium text-accent text-xs uppercase"
    >
      {[...name.trim()][0] ?? '?'}
    </span>
  )
}
