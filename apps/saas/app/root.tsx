import geist from '@fontsource-variable/geist/files/geist-latin-wght-normal.woff2?url'
import type { ReactNode } from 'react'
import { Links, Meta, Outlet, Scripts, ScrollRestoration, useRouteLoaderData } from 'react-router'
import type { Route } from './+types/root'
import './app.css'
import { ErrorPage, errorTitle } from './frame/error-page.tsx'
import favicon from './frame/favicon.svg?no-inline'
import { Progress } from './frame/progress.tsx'
import { themeOf } from './frame/theme-cookie.ts'

export const links: Route.LinksFunction = () => [
  { rel: 'icon', href: favicon, type: 'image/svg+xml' },
  // Asked for at once, so that the first paint has it already.
  { rel: 'preload', href: geist, as: 'font', type: 'font/woff2', crossOrigin: 'anonymous' },
]

export const meta: Route.MetaFunction = ({ error }) => [
  { title: error ? `${errorTitle(error)} · Meterkit` : 'Meterkit' },
  { name: 'description', content: 'Usage-based billing on Stripe, from the first event to the paid invoice.' },
]

export function loader({ request }: Route.LoaderArgs) {
  return { theme: themeOf(request) }
}

/** The document. Without a chosen theme the device decides, in CSS alone: no script runs before the first paint. */
export function Layout({ children }: { children: ReactNode }) {
  const theme = useRouteLoaderData<typeof loader>('root')?.theme ?? 'system'
  return (
    <html lang="en" data-theme={theme === 'system' ? undefined : theme}>
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <Meta />
        <Links />
      </head>
      <body>
        <a
          href="#main"
          className="fixed top-2 left-2 z-60 -translate-y-16 rounded-lg bg-accent px-3.5 py-2 font-medium text-on-accent focus:translate-y-0"
        >
          Skip to content
        </a>
        <Progress />
        {children}
        <ScrollRestoration />
        <Scripts />
      </body>
    </html>
  )
}

export default function Root() {
  return <Outlet />
}

export function ErrorBoundary({ error }: Route.ErrorBoundaryProps) {
  return <ErrorPage error={error} />
}
