import { ApiError } from './errors.ts'

const ABSENT =
  "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/."

/** @throws ApiError 401 unless the Authorization header, Bearer or Basic, carries the secret key */
export function authenticate(header: string | null, secretKey: string): void {
  const key = keyIn(header)
  if (key === null) throw unauthorized(ABSENT)
  if (key !== secretKey) throw unauthorized(`Invalid API Key provided: ${masked(key)}`)
}

function keyIn(header: string | null): string | null {
  const [scheme = '', credentials = ''] = (header ?? '').trim().split(/\s+/)
  if (credentials === '') return null
  if (scheme.toLowerCase() === 'bearer') return credentials
  if (scheme.toLowerCase() !== 'basic') return null
  const user = Buffer.from(credentials, 'base64').toString('utf8').split(':')[0]
  return user === undefined || user === '' ? null : user
}

function unauthorized(message: string): ApiError {
  return new ApiError(401, { type: 'invalid_request_error', message }, false)
}

function masked(key: string): string {
  const shown = /^(?:sk|rk|pk)_(?:test|live)_/.exec(key)?.[0] ?? ''
  return `${shown}${'*'.repeat(Math.max(4, key.length - shown.length - 4))}${key.slice(-4)}`
}
