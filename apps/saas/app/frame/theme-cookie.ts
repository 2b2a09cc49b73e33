export type Theme = 'light' | 'dark' | 'system'

export const themes: readonly Theme[] = ['light', 'dark', 'system']

/** What the visitor chose; `system` (the device decides) without a choice. */
export function themeOf(request: Request): Theme {
  const chosen = /(?:^|;\s*)theme=(light|dark)\b/.exec(request.headers.get('cookie') ?? '')?.[1]
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
}

/** The Set-Cookie header that remembers a choice for a year; for `system` it forgets. */
export function themeCookie(theme: Theme): string {
  const age = theme === 'system' ? 0 : 365 * 24 * 60 * 60
  return `theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax`
}
