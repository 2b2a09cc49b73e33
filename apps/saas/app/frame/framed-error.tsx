import { useRouteError } from 'react-router'
import { ErrorPage } from './error-page.tsx'
import { Frame, useFrameData } from './frame.tsx'

/** A page that failed leaves the frame standing; a frame that failed leaves nothing. */
export function FramedError() {
  const error = useRouteError()
  const data = useFrameData()
  if (!data) return <ErrorPage error={error} />
  return (
    <Frame data={data}>
      <ErrorPage error={error} framed />
    </Frame>
  )
}
