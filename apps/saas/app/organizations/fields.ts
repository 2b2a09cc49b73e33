import { z } from 'zod'

export const organizationName = z
  .string({ error: 'Give it a name.' })
  .min(1, 'Give it a name.')
  .max(80, 'A name has at most 80 characters.')

/** The part of the address after `/app/org/`; the server has the same rule (`server/organizations.ts`). */
export const organizationSlug = z
  .string()
  .max(48, 'The address has at most 48 characters.')
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'Only small letters, digits, and single dashes between them.')

export const memberRole = z.enum(['owner', 'admin', 'member'], { error: 'Choose a role.' })

export const roleOptions = [
  { value: 'member', label: 'Member' },
  { value: 'admin', label: 'Admin' },
  { value: 'owner', label: 'Owner' },
]

export const roleHelp = 'Members use the product; admins also manage members and billing; owners can do everything.'
