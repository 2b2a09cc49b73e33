import { z } from 'zod'

/** People type the six digits with a space, as apps show them. */
export const totpField = z
  .string({ error: 'Enter the six digits.' })
  .transform((code) => code.replace(/\s/g, ''))
  .pipe(z.string().regex(/^\d{6}$/, 'The code has six digits.'))

/** What better-auth says about a code, for people. */
export function codeSentence({ code, message }: { code: string | null; message: string }): string {
  return sentences[code ?? ''] ?? message
}

const sentences: Record<string, string> = {
  INVALID_CODE: 'This code is not right, or no longer. Enter the one shown now.',
  INVALID_BACKUP_CODE: 'This is not one of your backup codes, or it was used before.',
  INVALID_TWO_FACTOR_COOKIE: 'This took too long. Sign in again.',
  INVALID_PASSWORD: 'This is not your password.',
  ACCOUNT_TEMPORARILY_LOCKED: 'Too many wrong codes: wait a quarter of an hour, then try again.',
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: 'Too many wrong codes. Sign in again.',
}
