import { data, redirect } from 'react-router'
import type { Route } from './+types/theme'
import { themeCookie, themes } from './theme-cookie.ts'

/** Remembers the theme the visitor chose. With a `next` (the form without JavaScript) it goes back there. */
export async function action({ request }: Route.ActionArgs) {
  const form = await request.formData()
  const theme = themes.find((candidate) => candidate === form.get('theme')) ?? 'system'
  const headers = { 'Set-Cookie': themeCookie(theme) }
  const next = form.get('next')
  return next === null ? data(null, { headers }) : redirect(localPath(next), { headers })
}

export function loader() {
  return redirect('/')
}

/** Only a path of ours: `//elsewhere` and `/\elsewhere` would leave the site. */
function localPath(next: FormDataEntryValue): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/'
}
