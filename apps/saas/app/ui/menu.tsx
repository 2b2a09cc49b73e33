import { Menu as BaseMenu } from '@base-ui/react/menu'
import Check from 'lucide-react/icons/check'
import { Fragment, type ReactElement, type ReactNode } from 'react'
import { Link } from 'react-router'
import { cn } from './cn.ts'

export interface MenuEntry {
  label: ReactNode
  icon?: ReactNode
  /** Where it leads … */
  to?: string
  /** … or what it does. */
  onSelect?: () => void
  tone?: 'danger'
  checked?: boolean
  disabled?: boolean
  /** A plain link that leaves the pages' router: the jobs dashboard, a download. */
  external?: boolean
}

/** A menu behind a button. `groups` are parted by a line; each may have a heading. */
export function Menu({
  trigger,
  groups,
  align = 'end',
  side = 'bottom',
  className,
}: {
  trigger: ReactElement<Record<string, unknown>>
  groups: readonly { label?: string; entries: readonly MenuEntry[] }[]
  align?: 'start' | 'center' | 'end'
  side?: 'top' | 'bottom' | 'left' | 'right'
  className?: string
}) {
  return (
    <BaseMenu.Root>
      <BaseMenu.Trigger render={trigger} />
      <BaseMenu.Portal>
        <BaseMenu.Positioner className="z-50 outline-none" sideOffset={6} align={align} side={side}>
          <BaseMenu.Popup
            className={cn(
              'min-w-48 max-w-[calc(100vw-1rem)] origin-(--transform-origin) rounded-card border bg-popover p-1 shadow-float outline-none transition-[opacity,scale] data-ending-style:scale-[0.98] data-starting-style:scale-[0.98] data-ending-style:opacity-0 data-starting-style:opacity-0',
              className,
            )}
          >
            {groups.map((group, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a menu's groups stay where they are
              <Fragment key={index}>
                {index > 0 && <BaseMenu.Separator className="-mx-1 my-1 h-px bg-border" />}
                <BaseMenu.Group>
                  {group.label && (
                    <BaseMenu.GroupLabel className="px-2.5 py-1.5 text-muted text-xs">
                      {group.label}
                    </BaseMenu.GroupLabel>
                  )}
                  {group.entries.map((entry, position) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: a menu's entries stay where they are
                    <Entry key={position} entry={entry} />
                  ))}
                </BaseMenu.Group>
              </Fragment>
            ))}
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  )
}

function Entry({ entry }: { entry: MenuEntry }) {
  const classes = cn(
    'flex min-h-8 w-full cursor-pointer select-none items-center gap-2.5 rounded-md px-2.5 py-1.5 text-left outline-none data-disabled:cursor-not-allowed data-highlighted:bg-raised data-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0',
    entry.tone === 'danger' ? 'text-danger' : '[&>svg]:text-muted',
  )
  const content = (
    <>
      {entry.icon}
      <span className="min-w-0 flex-1 truncate">{entry.label}</span>
      {entry.checked && <Check aria-label="selected" />}
    </>
  )
  if (entry.to) {
    const link = entry.external ? (
      // biome-ignore lint/a11y/useAnchorContent: the item puts its content in
      <a href={entry.to} />
    ) : (
      <Link to={entry.to} />
    )
    return (
      <BaseMenu.LinkItem className={classes} render={link} closeOnClick>
        {content}
      </BaseMenu.LinkItem>
    )
  }
  return (
    <BaseMenu.Item className={classes} disabled={entry.disabled} onClick={entry.onSelect}>
      {content}
    </BaseMenu.Item>
  )
}
