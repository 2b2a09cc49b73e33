import type { z } from 'zod'

/** What is wrong, by field; `form` for what belongs to none. */
export type FormErrors = Record<string, string | undefined>

export interface RefusedForm {
  errors: FormErrors
  /** What was typed, so that it survives the error; passwords and codes are left out. */
  entered: Record<string, string>
}

export type ReadForm<T> = { ok: true; values: T; form: FormData } | { ok: false; refused: RefusedForm; form: FormData }

/** Reads a posted form; text is trimmed, except passwords. */
export async function readForm<T>(request: Request, schema: z.ZodType<T>): Promise<ReadForm<T>> {
  const form = await request.formData()
  return checkForm(form, schema)
}

/** For a form that was read before, to see which of a page's forms it is. */
export function checkForm<T>(form: FormData, schema: z.ZodType<T>): ReadForm<T> {
  const raw = Object.fromEntries(
    [...form].map(([name, value]) => [name, isSecret(name) || typeof value !== 'string' ? value : value.trim()]),
  )
  const parsed = schema.safeParse(raw)
  if (parsed.success) return { ok: true, values: parsed.data, form }
  const errors: FormErrors = {}
  for (const { path, message } of parsed.error.issues) errors[String(path[0] ?? 'form')] ??= message
  return { ok: false, refused: refusal(form, errors), form }
}

/** For what only the server could find wrong. */
export function refusal(form: FormData, errors: FormErrors): RefusedForm {
  const entered = [...form].filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && !isSecret(entry[0]),
  )
  return { errors, entered: Object.fromEntries(entered) }
}

function isSecret(name: string): boolean {
  return /password|^code$/i.test(name)
}
