import { Outlet, useRouteError } from 'react-router'
import { frameData } from 'saas/server/frame'
import type { Route } from './+types/app-layout'
import { ErrorPage } from './error-page.tsx'
import { Frame, useFrameData } from './frame.tsx'

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

/** A page that failed leaves the frame standing; a frame that failed leaves nothing. */
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
