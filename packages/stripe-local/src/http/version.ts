import { API_VERSION } from '../webhooks/events.ts'
import { refuseParameter } from './errors.ts'

/** The oldest version whose metered prices are backed by meters. */
const OLDEST = '2025-03-31'

/**
 * Every answer has the shape of the pinned version. @returns a notice when another one was asked for
 * @throws ApiError for a version that is malformed or from before meters
 */
export function noticeFor(version: string | null): string | null {
  if (version === null || version === API_VERSION) return null
  const date = /^(\d{4}-\d{2}-\d{2})(\.[a-z]+)?$/.exec(version)?.[1]
  if (!date) throw refuseParameter(`Invalid Stripe API version: ${version}`)
  if (date < OLDEST) {
    throw refuseParameter(
      `Invalid Stripe API version: ${version}. The local Stripe answers as version ${API_VERSION} and knows nothing older than 2025-03-31.basil.`,
    )
  }
  return `The local Stripe answers in the shapes of version ${API_VERSION}; you asked for ${version}.`
}
