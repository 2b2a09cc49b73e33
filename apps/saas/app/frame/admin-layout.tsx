import { Outlet, useRouteError } from 'react-router'
import { frameData } from 'saas/server/frame'
import { requireAdmin } from 'saas/server/session'
import type { Route } from './+types/admin-layout'
import { ErrorPage } from './error-page.tsx'
import { Frame, useFrameData } from './frame.tsx'

/** The same frame around the operator's pages. It authorizes nothing but itself: each page has its own loader. */
export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  return frameData(args)
}

export default function AdminLayout({ loaderData }: Route.ComponentProps) {
  return (
    <Frame data={loaderData}>
      <Outlet />
    </Frame>
  )
}

export function ErrorBoundary() {
  const error = useRouteError()
  const data = useFrameData()
  if (!data) return <ErrorPage error={error} />
  return (
    <Frame data={data}>
      <ErrorPage error={error} framed />
    </Frame>
  )
}
