import { Outlet } from 'react-router'
import { frameData } from 'saas/server/frame'
import type { Route } from './+types/app-layout'
import { Frame } from './frame.tsx'

export { FramedError as ErrorBoundary } from './framed-error.tsx'

/** The frame around every page of who is signed in. It authorizes nothing but itself: each page has its own loader. */
export function loader(args: Route.LoaderArgs) {
  return frameData(args)
}

export default function AppLayout({ loaderData }: Route.ComponentProps) {
  return (
    <Frame data={loaderData}>
      <Outlet />
    </Frame>
  )
}
