import ChevronsUpDown from 'lucide-react/icons/chevrons-up-down'
import LogOut from 'lucide-react/icons/log-out'
import Monitor from 'lucide-react/icons/monitor'
import MonitorSmartphone from 'lucide-react/icons/monitor-smartphone'
import Moon from 'lucide-react/icons/moon'
import ShieldCheck from 'lucide-react/icons/shield-check'
import Sun from 'lucide-react/icons/sun'
import UserRound from 'lucide-react/icons/user-round'
import { Form, Link, useFetcher, useSubmit } from 'react-router'
import type { FrameData } from 'saas/server/frame'
import { Menu } from '../ui/menu.tsx'
import type { Theme } from './theme-cookie.ts'

const themeEntries: [theme: Theme, label: string, Icon: typeof Sun][] = [
  ['light', 'Light', Sun],
  ['dark', 'Dark', Moon],
  ['system', 'As the device', Monitor],
]

/** The account's pages, the theme, and the way out. */
export function PersonMenu({ data: { user, theme } }: { data: FrameData }) {
  const themeFetcher = useFetcher()
  const submit = useSubmit()
  const chosen = themeFetcher.formData?.get('theme') ?? theme
  const choose = (next: Theme) => themeFetcher.submit({ theme: next }, { method: 'post', action: '/theme' })
  return (
    <>
      <Menu
        align="start"
        side="top"
        className="w-60"
        trigger={
          <button
            type="button"
            className="noscript:hidden flex h-11 w-full min-w-0 items-center gap-2.5 rounded-lg px-2 text-left transition-colors hover:bg-raised data-popup-open:bg-raised"
          >
            <span
              aria-hidden
              className="grid size-7 shrink-0 place-items-center rounded-full bg-raised font-medium text-muted text-xs uppercase"
            >
              {initials(user.name)}
            </span>
            <span className="min-w-0 flex-1">
              <span className="sr-only">Account: </span>
              <span className="block truncate leading-4">{user.name}</span>
              <span className="block truncate text-muted text-xs">{user.email}</span>
            </span>
            <ChevronsUpDown className="size-4 shrink-0 text-muted" aria-hidden />
          </button>
        }
        groups={[
          {
            entries: [
              { label: 'Profile', to: '/app/users/profile', icon: <UserRound aria-hidden /> },
              {
                label: 'Two-factor authentication',
                to: '/app/users/two-factor-authentication',
                icon: <ShieldCheck aria-hidden />,
              },
              { label: 'Sessions', to: '/app/users/sessions', icon: <MonitorSmartphone aria-hidden /> },
            ],
          },
          {
            label: 'Theme',
            entries: themeEntries.map(([value, label, Icon]) => ({
              label,
              icon: <Icon aria-hidden />,
              checked: chosen === value,
              onSelect: () => choose(value),
            })),
          },
          {
            entries: [
              {
                label: 'Sign out',
                icon: <LogOut aria-hidden />,
                onSelect: () => submit(null, { method: 'post', action: '/logout' }),
              },
            ],
          },
        ]}
      />
      <noscript>
        <Link to="/app/users/profile">{user.name}</Link> ·{' '}
        <Link to="/app/users/two-factor-authentication">Two-factor authentication</Link> ·{' '}
        <Link to="/app/users/sessions">Sessions</Link>
        <Form method="post" action="/logout">
          <button type="submit" className="underline">
            Sign out
          </button>
        </Form>
      </noscript>
    </>
  )
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  return [words[0], words.length > 1 ? words.at(-1) : ''].map((word) => [...(word ?? '')][0] ?? '').join('')
}
