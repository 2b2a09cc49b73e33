import { Toaster as Sonner, toast } from 'sonner'

export { toast }

/** Where toasts appear; stands once, in root.tsx. Show one with `toast('Saved')`, `toast.error('…')`. */
export function Toaster() {
  return (
    <Sonner
      position="bottom-right"
      gap={8}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            'flex w-(--width) items-start gap-2.5 rounded-card border bg-popover p-3.5 text-sm text-text shadow-float font-sans',
          title: 'font-medium',
          description: 'text-muted',
          icon: 'mt-0.5 [&_svg]:size-4',
          success: '[&_[data-icon]]:text-positive',
          error: '[&_[data-icon]]:text-danger',
          warning: '[&_[data-icon]]:text-warning',
          actionButton: 'ml-auto font-medium text-accent',
        },
      }}
    />
  )
}
