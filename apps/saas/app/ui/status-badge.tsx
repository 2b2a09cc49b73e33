import Ban from 'lucide-react/icons/ban'
import Circle from 'lucide-react/icons/circle'
import CircleAlert from 'lucide-react/icons/circle-alert'
import CircleCheck from 'lucide-react/icons/circle-check'
import CircleDashed from 'lucide-react/icons/circle-dashed'
import CirclePause from 'lucide-react/icons/circle-pause'
import CircleSlash from 'lucide-react/icons/circle-slash'
import CircleX from 'lucide-react/icons/circle-x'
import Clock from 'lucide-react/icons/clock'
import Gift from 'lucide-react/icons/gift'
import History from 'lucide-react/icons/history'
import Send from 'lucide-react/icons/send'
import Undo2 from 'lucide-react/icons/undo-2'
import type { ComponentType } from 'react'
import { cn } from './cn.ts'

export type Tone = 'positive' | 'warning' | 'danger' | 'accent' | 'muted'

type Icon = ComponentType<{ className?: string; 'aria-hidden'?: boolean }>

/** One look for one word, whoever says it: our events and reports, Stripe's subscriptions and invoices, jobs, AI calls. */
const statuses: Record<string, [tone: Tone, icon: Icon]> = {
  pending: ['warning', Clock],
  processed: ['positive', CircleCheck],
  failed: ['danger', CircleX],
  late: ['accent', History],
  credit: ['accent', Undo2],
  void: ['muted', Ban],
  free: ['muted', Gift],

  unsent: ['warning', Clock],
  sending: ['accent', Send],
  submitted: ['accent', Send],
  confirmed: ['positive', CircleCheck],
  accepted: ['positive', CircleCheck],
  rejected: ['danger', CircleX],
  unsure: ['warning', CircleAlert],

  missing: ['danger', CircleX],
  recent: ['muted', Clock],
  in_doubt: ['accent', Send],
  foreign: ['warning', CircleAlert],
  unclear: ['warning', CircleAlert],
  unreadable: ['warning', CircleAlert],
  done: ['positive', CircleCheck],
  mended: ['positive', CircleCheck],

  active: ['positive', CircleCheck],
  trialing: ['accent', Clock],
  past_due: ['warning', CircleAlert],
  unpaid: ['danger', CircleAlert],
  incomplete: ['warning', CircleDashed],
  incomplete_expired: ['muted', CircleSlash],
  paused: ['muted', CirclePause],
  canceled: ['muted', CircleSlash],
  canceling: ['warning', Clock],

  draft: ['muted', CircleDashed],
  open: ['warning', Clock],
  paid: ['positive', CircleCheck],
  uncollectible: ['danger', CircleX],

  received: ['warning', Clock],
  queued: ['warning', Clock],
  running: ['accent', Send],
  succeeded: ['positive', CircleCheck],
  completed: ['positive', CircleCheck],
  finished: ['positive', CircleCheck],
  ignored: ['muted', CircleSlash],
  stopped: ['warning', CirclePause],
  aborted: ['warning', CirclePause],
  disconnected: ['warning', CirclePause],
  error: ['danger', CircleX],

  verified: ['positive', CircleCheck],
  banned: ['danger', Ban],
  expired: ['muted', CircleSlash],
  off: ['muted', Circle],
  on: ['positive', CircleCheck],
}

const toneClasses: Record<Tone, string> = {
  positive: 'bg-positive-soft text-positive',
  warning: 'bg-warning-soft text-warning',
  danger: 'bg-danger-soft text-danger',
  accent: 'bg-accent-soft text-accent',
  muted: 'bg-raised text-muted',
}

/** A status as word, icon and colour. An unknown status is shown as it is, in grey. `label` replaces the word. */
export function StatusBadge({
  status,
  label,
  tone,
  className,
}: {
  status: string
  label?: string
  tone?: Tone
  className?: string
}) {
  const [usualTone, Icon] = statuses[status] ?? (['muted', Circle] as const)
  return (
    <span
      className={cn(
        'inline-flex h-6 items-center gap-1 whitespace-nowrap rounded-md px-2 font-medium text-xs',
        toneClasses[tone ?? usualTone],
        className,
      )}
    >
      <Icon className="size-3.5 shrink-0" aria-hidden />
      <span className={status === 'void' ? 'line-through' : undefined}>{label ?? sentenceCase(status)}</span>
    </span>
  )
}

function sentenceCase(status: string): string {
  const words = status.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
