import { cva, type VariantProps } from 'class-variance-authority'
import LoaderCircle from 'lucide-react/icons/loader-circle'
import type { ComponentProps, MouseEvent, ReactNode } from 'react'
import { Link, useNavigation } from 'react-router'
import { cn } from './cn.ts'

const button = cva(
  'relative inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-lg font-medium transition-colors aria-disabled:cursor-not-allowed aria-disabled:opacity-60 disabled:cursor-not-allowed disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      variant: {
        primary: 'bg-accent text-on-accent hover:bg-accent-strong',
        secondary: 'border border-border-strong bg-surface text-text hover:bg-raised',
        ghost: 'text-text hover:bg-raised',
        danger: 'bg-danger text-on-danger hover:bg-danger-strong',
      },
      size: {
        sm: 'h-7 px-2.5 text-xs',
        md: 'h-9 px-3.5 text-sm',
        lg: 'h-11 px-5 text-base',
        icon: 'size-9 text-sm',
      },
    },
    defaultVariants: { variant: 'secondary', size: 'md' },
  },
)

type Look = VariantProps<typeof button>

export type ButtonProps = ComponentProps<'button'> & Look & { loading?: boolean }

/** A button. While `loading` it keeps its width and the focus, and does nothing. An `icon` button needs an aria-label. */
export function Button({ variant, size, loading = false, className, children, onClick, type, ...rest }: ButtonProps) {
  const swallow = (event: MouseEvent<HTMLButtonElement>) => event.preventDefault()
  return (
    <button
      {...rest}
      type={type ?? 'button'}
      className={cn(button({ variant, size }), className)}
      aria-disabled={loading || rest['aria-disabled'] || undefined}
      aria-busy={loading || undefined}
      onClick={loading ? swallow : onClick}
    >
      <Working when={loading}>{children}</Working>
    </button>
  )
}

/**
 * The button of a `<Form>`: spins while its form is on the way, and never sends it twice.
 * With `name` and `value` only the button that was pressed spins; the others wait.
 */
export function SubmitButton({ loading = false, variant = 'primary', ...props }: ButtonProps) {
  const { state, formData } = useNavigation()
  const sending = state !== 'idle' && formData !== undefined
  const mine = props.name === undefined || formData?.get(props.name) === props.value
  return (
    <Button
      {...props}
      type="submit"
      variant={variant}
      loading={loading || (sending && mine)}
      disabled={props.disabled || (sending && !mine)}
    />
  )
}

export type LinkButtonProps = ComponentProps<typeof Link> & Look

/** A link that looks like a button: it goes somewhere, and changes nothing. */
export function LinkButton({ variant, size, className, ...rest }: LinkButtonProps) {
  return <Link {...rest} className={cn(button({ variant, size }), className)} />
}

/** The look of a button, for elements that are none of the above: a download's `<a>`, a summary. */
export function buttonClass(look: Look = {}, ...classes: string[]): string {
  return cn(button(look), classes)
}

function Working({ when, children }: { when: boolean; children: ReactNode }) {
  if (!when) return children
  return (
    <>
      <span className="contents opacity-0 [&>*]:opacity-0 [&]:text-transparent">{children}</span>
      <span className="absolute inset-0 grid place-items-center">
        <LoaderCircle className="animate-spin" aria-hidden />
      </span>
    </>
  )
}
