import { ApiError } from '../http/errors.ts'
import type { PagesContext } from './context.ts'
import { text } from './wire.ts'

/** The name of the business that the account belongs to, as its customers know it. */
export async function merchantName(context: PagesContext): Promise<string> {
  const account = await context.api('GET', '/v1/account').catch((error) => {
    if (error instanceof ApiError) return {}
    throw error
  })
  return text(account, 'business_profile.name') ?? text(account, 'settings.dashboard.display_name') ?? 'Test business'
}
