import { Dialog } from '@base-ui/react/dialog'
import MenuIcon from 'lucide-react/icons/menu'
import { type ReactNode, useState } from 'react'
import { Form, Link, useLocation, useRouteLoaderData } from 'react-router'
import type { FrameData } from 'saas/server/frame'
import { SubmitButton } from '../ui/button.tsx'
import { formatMoney } from '../ui/money.ts'
import { breadcrumb, payerPaths, type Viewer } from './navigation.ts'
import { PaletteButton } from './palette-dialog.tsx'
import { Sidebar } from './sidebar.tsx'

/** The frame's data wherever a page wants it, in the app or the operator's pages; undefined outside of both. */
export function useFrameData(): FrameData | undefined {
  const app = useRouteLoaderData<FrameData>('frame/app-layout')
  const admin = useRouteLoaderData<FrameData>('frame/admin-layout')
  return app ?? admin
}

/** Sidebar, header, page. Below 768 px the sidebar is a sheet. */
export function Frame({ data, children }: { data: FrameData; children: ReactNode }) {
  const viewer = viewerOf(data)
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[15rem_minmax(0,1fr)]">
      <aside
        aria-label="Sidebar"
        className="noscript:static noscript:block max-md:hidden md:sticky md:top-0 md:h-dvh md:border-r"
      >
        <Sidebar data={data} viewer={viewer} />
      </aside>
      <div className="flex min-w-0 flex-col">
        {data.impersonated && <ImpersonationBanner name={data.user.name} />}
        <Header data={data} viewer={viewer} />
        <main
          id="main"
          tabIndex={-1}
          className="mx-auto w-full max-w-[70rem] flex-1 px-4 py-6 outline-none md:px-8 md:py-8"
        >
          {children}
        </main>
      </div>
    </div>
  )
}

/** Who has but one organization is always in it. */
function viewerOf({ user, organization, organizations, billingSource, periodCost, development }: FrameData): Viewer {
  const [only] = organizations
  return {
    isAdmin: user.role === 'admin',
    organization: organization ?? (organizations.length === 1 && only ? only : null),
    billingSource,
    subscribed: periodCost !== null,
    stripeLocalUrl: development.stripeLocalUrl,
    mailbox: development.mailbox,
  }
}

function Header({ data, viewer }: { data: FrameData; viewer: Viewer }) {
  return (
    <header className="sticky top-0 z-30 flex h-14 items-center gap-2 border-b bg-background/90 px-4 backdrop-blur-sm md:px-8">
      <Sheet data={data} viewer={viewer} />
      <Breadcrumb organizationName={data.organization?.name ?? null} />
      <div className="ml-auto flex items-center gap-1.5">
        <PeriodCost data={data} viewer={viewer} />
        <PaletteButton viewer={viewer} />
      </div>
    </header>
  )
}

function Breadcrumb({ organizationName }: { organizationName: string | null }) {
  const { pathname } = useLocation()
  const crumbs = breadcrumb(pathname, organizationName)
  return (
    <nav aria-label="Breadcrumb" className="min-w-0">
      <ol className="flex min-w-0 items-center gap-2">
        {crumbs.map((crumb, index) => {
          const last = index === crumbs.length - 1
          return (
            <li key={crumb.to ?? crumb.label} className={last ? 'min-w-0 truncate' : 'contents max-sm:hidden'}>
              {crumb.to && !last ? (
                <Link to={crumb.to} className="truncate text-muted hover:text-text">
                  {crumb.label}
                </Link>
              ) : (
                <span className={last ? undefined : 'text-muted'} aria-current={last ? 'page' : undefined}>
                  {crumb.label}
                </span>
              )}
              {!last && (
                <span aria-hidden className="text-muted">
                  /
                </span>
              )}
            </li>
          )
        })}
      </ol>
    </nav>
  )
}

/** What the running period has cost so far, on every page; without a subscription, the way to one. */
function PeriodCost({
  data: { periodCost, organization, billingSource },
  viewer,
}: {
  data: FrameData
  viewer: Viewer
}) {
  const paths = payerPaths(viewer)
  if (!paths || (billingSource === 'organization' && !organization)) return null
  if (!periodCost) {
    return (
      <Link to={paths.subscribe} className="whitespace-nowrap rounded-lg px-2.5 py-1.5 text-accent hover:bg-raised">
        Choose a plan
      </Link>
    )
  }
  return (
    <Link
      to={paths.billing}
      className="flex items-baseline gap-2 whitespace-nowrap rounded-lg px-2.5 py-1.5 tabular-nums hover:bg-raised"
    >
      <span className="sr-only">This period so far:</span>
      <span className="text-muted max-lg:hidden">{periodCost.usageLabel}</span>
      <span className="font-medium">{formatMoney(periodCost.amount, periodCost.currency)}</span>
    </Link>
  )
}

/** The sidebar on a phone. It closes with every step one takes in it, before the page has come. */
function Sheet({ data, viewer }: { data: FrameData; viewer: Viewer }) {
  const [open, setOpen] = useState(false)
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger
        aria-label="Open the menu"
        className="noscript:hidden -ml-2 grid size-9 shrink-0 place-items-center rounded-lg text-muted hover:bg-raised hover:text-text md:hidden"
      >
        <MenuIcon className="size-5" aria-hidden />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/45 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0 md:hidden" />
        <Dialog.Popup
          aria-label="Menu"
          onClick={({ target }) => {
            if (target instanceof Element && target.closest('a')) setOpen(false)
          }}
          className="fixed inset-y-0 left-0 z-50 w-[min(18rem,calc(100vw-3rem))] border-r bg-background shadow-float outline-none transition-transform data-ending-style:-translate-x-full data-starting-style:-translate-x-full md:hidden"
        >
          <Sidebar data={data} viewer={viewer} />
          <Dialog.Close className="sr-only">Close the menu</Dialog.Close>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function ImpersonationBanner({ name }: { name: string }) {
  return (
    <div
      role="status"
      className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-warning/30 border-b bg-warning-soft px-4 py-2 md:px-8"
    >
      <p>
        You see the app as <strong>{name}</strong>. What you do here is done in their name, and written to the audit
        log.
      </p>
      <Form method="post" action="/logout">
        <SubmitButton variant="secondary" size="sm">
          Back to my own account
        </SubmitButton>
      </Form>
    </div>
  )
}
