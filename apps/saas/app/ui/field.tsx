import CircleAlert from 'lucide-react/icons/circle-alert'
import { type ComponentProps, createContext, type ReactNode, useContext, useEffect, useRef } from 'react'
import { cn } from './cn.ts'

interface FieldWiring {
  id: string
  name: string
  describedBy: string | undefined
  invalid: boolean
  required: boolean
}

const FieldContext = createContext<FieldWiring | null>(null)

/** What a control inside a `Field` takes from it; its own props win. */
export function useFieldProps<Props extends { id?: string; name?: string; required?: boolean }>(props: Props): Props {
  const field = useContext(FieldContext)
  if (!field) return props
  return {
    id: field.id,
    name: field.name,
    required: field.required || undefined,
    'aria-describedby': field.describedBy,
    'aria-invalid': field.invalid || undefined,
    ...props,
  }
}

export interface FieldProps extends Omit<ComponentProps<'input'>, 'children'> {
  label: ReactNode
  name: string
  /** What to enter, in a sentence, below the control. */
  help?: ReactNode
  /** What is wrong, in a sentence; null or undefined when nothing is. */
  error?: string | readonly string[] | null
  /** A control of your own (a `<Select>`): it gets id, name and aria from the field. Without it, an input. */
  children?: ReactNode
}

/** Label above, help below, error beside the control. Its control's id is `field-<name>` unless `id` says otherwise. */
export function Field({ label, name, help, error, children, id, className, required, ...input }: FieldProps) {
  const message = Array.isArray(error) ? error.join(' ') : error
  const controlId = id ?? fieldId(name)
  const helpId = `${controlId}-help`
  const errorId = `${controlId}-error`
  const describedBy = [message && errorId, help && helpId].filter(Boolean).join(' ') || undefined
  return (
    <FieldContext value={{ id: controlId, name, describedBy, invalid: Boolean(message), required: Boolean(required) }}>
      <div className={cn('flex min-w-0 flex-col gap-1.5', className)}>
        <label htmlFor={controlId} className="font-medium">
          {label}
        </label>
        {children ?? <Input {...input} />}
        {message && (
          <p id={errorId} className="flex items-start gap-1.5 text-danger">
            <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
            {message}
          </p>
        )}
        {help && (
          <p id={helpId} className="text-muted text-xs">
            {help}
          </p>
        )}
      </div>
    </FieldContext>
  )
}

const control =
  'w-full min-w-0 rounded-lg border border-border-strong bg-surface px-3 text-base text-text transition-colors hover:border-muted focus-visible:border-accent focus-visible:outline-offset-0 disabled:cursor-not-allowed disabled:opacity-60 aria-invalid:border-danger md:text-sm'

/** A line of text. (16 px on phones: below that, iOS zooms in on focus.) */
export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input {...useFieldProps(props)} className={cn(control, 'h-9', className)} />
}

export interface SelectOption {
  value: string
  label: string
  disabled?: boolean
}

/** The browser's own select: it works without JavaScript, and a phone shows its own picker. */
export function Select({
  options,
  children,
  className,
  ...props
}: ComponentProps<'select'> & { options?: readonly SelectOption[] }) {
  return (
    <select {...useFieldProps(props)} className={cn(control, 'select-chevron h-9 appearance-none pr-9', className)}>
      {options?.map((option) => (
        <option key={option.value} value={option.value} disabled={option.disabled}>
          {option.label}
        </option>
      ))}
      {children}
    </select>
  )
}

/** A checkbox with its label. Unlike the text controls it brings its own label, so it stands without a `Field`. */
export function Checkbox({
  label,
  help,
  className,
  ...props
}: Omit<ComponentProps<'input'>, 'type'> & { label?: ReactNode; help?: ReactNode }) {
  const box = (
    <input
      {...props}
      type="checkbox"
      className={cn(
        'check-mark size-4 shrink-0 cursor-pointer appearance-none rounded border border-border-strong bg-surface checked:border-accent checked:bg-accent disabled:cursor-not-allowed disabled:opacity-60',
        !label && className,
      )}
    />
  )
  return label ? <Beside control={box} {...{ label, help, className }} /> : box
}

function Beside({
  control,
  label,
  help,
  className,
}: {
  control: ReactNode
  label: ReactNode
  help: ReactNode
  className: string | undefined
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is handed in
    <label className={cn('flex cursor-pointer items-start gap-2.5', className)}>
      <span className="flex h-5 items-center">{control}</span>
      <span>
        {label}
        {help && <span className="block text-muted text-xs">{help}</span>}
      </span>
    </label>
  )
}

/** By field name, as an action returns them; `form` (or an empty name) is for what concerns no single field. */
export type Errors = Readonly<Record<string, string | readonly string[] | null | undefined>>

/** What is wrong with a form, on top of it; takes the focus, and leads to each field. Renders nothing without errors. */
export function FormErrors({
  errors,
  title = 'Please check what you entered.',
}: {
  errors?: Errors | readonly string[] | string | null
  title?: string
}) {
  const summary = useRef<HTMLDivElement>(null)
  const messages = listErrors(errors)
  const key = messages.map(({ message }) => message).join('\n')
  useEffect(() => {
    if (key) summary.current?.focus()
  }, [key])
  if (messages.length === 0) return null
  const [only] = messages
  return (
    <div
      ref={summary}
      role="alert"
      tabIndex={-1}
      className="flex animate-fade-in gap-2.5 rounded-lg border border-danger/30 bg-danger-soft p-3 text-danger"
    >
      <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
      {messages.length === 1 && only && only.field === null ? (
        <p>{only.message}</p>
      ) : (
        <div className="min-w-0">
          <p className="font-medium">{title}</p>
          <ul className="mt-1 list-inside list-disc">
            {messages.map(({ field, message }) => (
              <li key={message}>
                {field ? (
                  <a href={`#${fieldId(field)}`} className="underline underline-offset-2">
                    {message}
                  </a>
                ) : (
                  message
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  )
}

function listErrors(errors: Errors | readonly string[] | string | null | undefined) {
  if (!errors) return []
  if (typeof errors === 'string') return [{ field: null, message: errors }]
  if (isList(errors)) return errors.map((message) => ({ field: null, message }))
  return Object.entries(errors).flatMap(([name, value]) => {
    const field = name === 'form' || name === '' ? null : name
    const messages = typeof value === 'string' ? [value] : (value ?? [])
    return messages.filter(Boolean).map((message) => ({ field, message }))
  })
}

function isList(value: object): value is readonly string[] {
  return Array.isArray(value)
}

function fieldId(name: string): string {
  return `field-${name}`
}
