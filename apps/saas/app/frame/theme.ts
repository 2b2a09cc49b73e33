import { redirect } from 'react-router'
import type { Route } from './+types/theme'
import { themeCookie, themes } from './theme-cookie.ts'

/** Remembers the theme the visitor chose, and goes back to where they were. */
export async function action({ request }: Route.ActionArgs) {
  const form = await request.formData()
  const theme = themes.find((candidate) => candidate === form.get('theme')) ?? 'system'
  return redirect(localPath(form.get('next')), { headers: { 'Set-Cookie': themeCookie(theme) } })
}

export function loader() {
  return redirect('/')
}

/** Only a path of ours: `//elsewhere` and `/\elsewhere` would leave the site. */
function localPath(next: FormDataEntryValue | null): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/'
}
