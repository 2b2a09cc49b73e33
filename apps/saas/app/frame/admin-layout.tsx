import { Outlet } from 'react-router'
import { frameData } from 'saas/server/frame'
import { requireAdmin } from 'saas/server/session'
import type { Route } from './+types/admin-layout'
import { Frame } from './frame.tsx'

export { FramedError as ErrorBoundary } from './framed-error.tsx'

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
