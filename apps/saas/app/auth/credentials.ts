import { z } from 'zod'

const PASSWORD_CHARACTERS_MIN = 8
const PASSWORD_CHARACTERS_MAX = 128

export const emailField = z
  .string({ error: 'Enter your email address.' })
  .min(1, 'Enter your email address.')
  .pipe(z.email('This is not an email address; it looks like name@example.com.'))
  .transform((email) => email.toLowerCase())

export const nameField = z
  .string({ error: 'Enter your name.' })
  .min(1, 'Enter your name.')
  .max(80, 'A name has at most 80 characters.')

/** A password that exists: whatever was once accepted. */
export const passwordField = z.string({ error: 'Enter your password.' }).min(1, 'Enter your password.')

export const newPasswordField = z
  .string({ error: 'Choose a password.' })
  .min(PASSWORD_CHARACTERS_MIN, `A password has at least ${PASSWORD_CHARACTERS_MIN} characters.`)
  .max(PASSWORD_CHARACTERS_MAX, `A password has at most ${PASSWORD_CHARACTERS_MAX} characters.`)

export const newPasswordHelp = `At least ${PASSWORD_CHARACTERS_MIN} characters.`
