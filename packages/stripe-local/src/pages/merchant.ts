import type { PagesContext } from './context.ts'
import { text } from './wire.ts'

/** The name of the business that the account belongs to, as its customers know it. */
export async function merchantName(context: PagesContext): Promise<string> {
  return text(await context.api('GET', '/v1/account'), 'business_profile.name') ?? ''
}
