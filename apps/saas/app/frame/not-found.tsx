import { data } from 'react-router'

/** Every address that no page answers to; the root's error page says so. */
export function loader() {
  throw data(null, { status: 404, statusText: 'Not Found' })
}

export default function NotFound() {
  return null
}
