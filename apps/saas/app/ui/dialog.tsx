import { Dialog as BaseDialog } from '@base-ui/react/dialog'
import X from 'lucide-react/icons/x'
import { type ComponentProps, type ReactElement, type ReactNode, useEffect, useId, useState } from 'react'
import { Form, useNavigation } from 'react-router'
import { Button, SubmitButton } from './button.tsx'
import { cn } from './cn.ts'

/**
 * A dialog: it traps the focus and gives it back. Opened by its `trigger` (an element such as `<Button>`), or controlled by
 * `open` and `onOpenChange`.
 */
export function Dialog({
  title,
  description,
  trigger,
  open,
  onOpenChange,
  footer,
  children,
  className,
}: {
  title: ReactNode
  description?: ReactNode
  trigger?: ReactElement<Record<string, unknown>>
  open?: boolean
  onOpenChange?: (open: boolean) => void
  footer?: ReactNode
  children?: ReactNode
  className?: string
}) {
  return (
    <BaseDialog.Root open={open} onOpenChange={onOpenChange && ((next) => onOpenChange(next))}>
      {trigger && <BaseDialog.Trigger render={trigger} />}
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="fixed inset-0 z-40 bg-black/45 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <BaseDialog.Popup
          className={cn(
            'fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-2rem)] w-[min(30rem,calc(100vw-2rem))] -translate-1/2 flex-col overflow-hidden rounded-card border bg-popover shadow-float outline-none transition-[opacity,scale] data-ending-style:scale-[0.98] data-starting-style:scale-[0.98] data-ending-style:opacity-0 data-starting-style:opacity-0',
            className,
          )}
        >
          <div className="overflow-y-auto p-5">
            <BaseDialog.Title className="pr-8 font-medium text-base">{title}</BaseDialog.Title>
            {description && <BaseDialog.Description className="mt-1 text-muted">{description}</BaseDialog.Description>}
            {children && <div className="mt-4">{children}</div>}
          </div>
          {footer && <div className="flex flex-wrap justify-end gap-2 border-t px-5 py-3.5">{footer}</div>}
          <BaseDialog.Close
            aria-label="Close"
            className="absolute top-3.5 right-3.5 grid size-8 place-items-center rounded-lg text-muted hover:bg-raised hover:text-text"
          >
            <X className="size-4" aria-hidden />
          </BaseDialog.Close>
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  )
}

/** Closes the dialog around it. */
export const DialogClose = BaseDialog.Close

/**
 * Asks before it acts, naming the object and the effect in `title` and `children`, then posts a form: to `action`, with `fields` as
 * hidden inputs (and whatever inputs `children` hold). Without JavaScript the question unfolds in the page.
 */
export function ConfirmDialog({
  title,
  children,
  trigger,
  confirmLabel,
  tone = 'primary',
  action,
  fields = {},
  cancelLabel = 'Cancel',
  ...form
}: {
  title: string
  children?: ReactNode
  /** The button that opens it. */
  trigger: ReactElement<{ children?: ReactNode; className?: string }>
  confirmLabel: string
  tone?: 'primary' | 'danger'
  action?: string
  fields?: Readonly<Record<string, string>>
  cancelLabel?: string
} & Omit<ComponentProps<typeof Form>, 'title' | 'children' | 'action' | 'method'>) {
  const [open, setOpen] = useState(false)
  const id = useId()
  const { state } = useNavigation()
  const [sent, setSent] = useState(false)
  useEffect(() => {
    if (!sent || state !== 'idle') return
    setSent(false)
    setOpen(false)
  }, [sent, state])
  const hidden = Object.entries(fields).map(([name, value]) => (
    <input key={name} type="hidden" name={name} value={value} />
  ))
  return (
    <>
      <span className="noscript:hidden contents">
        <Dialog
          title={title}
          trigger={trigger}
          open={open}
          onOpenChange={setOpen}
          footer={
            <>
              <BaseDialog.Close render={<Button variant="ghost" />}>{cancelLabel}</BaseDialog.Close>
              <SubmitButton form={id} variant={tone}>
                {confirmLabel}
              </SubmitButton>
            </>
          }
        >
          <Form {...form} id={id} method="post" action={action} onSubmit={() => queueMicrotask(() => setSent(true))}>
            {hidden}
            <div className="text-muted">{children}</div>
          </Form>
        </Dialog>
      </span>
      <noscript>
        <details>
          <summary>{trigger.props.children ?? title}</summary>
          <Form {...form} method="post" action={action} className="mt-2 rounded-card border p-4">
            {hidden}
            <p className="font-medium">{title}</p>
            <div className="my-2 text-muted">{children}</div>
            <SubmitButton variant={tone}>{confirmLabel}</SubmitButton>
          </Form>
        </details>
      </noscript>
    </>
  )
}
