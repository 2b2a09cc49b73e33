import { cn } from './cn.ts'
import { CopyButton } from './copy-button.tsx'
import { type Language, tokenize } from './highlight.ts'

const colors = {
  comment: 'text-muted',
  string: 'text-positive',
  number: 'text-warning',
  keyword: 'text-accent',
  key: 'text-accent',
  plain: undefined,
}

/** Code, lightly coloured, with a copy button. `title` is a file's name or what one would call it. */
export function CodeBlock({
  code,
  language = 'ts',
  title,
  className,
}: {
  code: string
  language?: Language
  title?: string
  className?: string
}) {
  const text = code.replace(/^\n|\s+$/g, '')
  return (
    <figure className={cn('min-w-0 overflow-hidden rounded-card border bg-surface', className)}>
      {title && (
        <figcaption className="flex h-9 items-center justify-between border-b pr-1.5 pl-3.5 text-muted text-xs">
          <span className="truncate">{title}</span>
          <CopyButton text={text} label="Copy the code" />
        </figcaption>
      )}
      <div className="relative">
        {!title && <CopyButton text={text} label="Copy the code" className="absolute top-2 right-2 bg-surface" />}
        <Highlighted text={text} language={language} label={title ?? 'Code'} />
      </div>
    </figure>
  )
}

/** Scrolls both ways where it must, by keyboard too. */
export function Highlighted({
  text,
  language,
  label,
  className,
}: {
  text: string
  language: Language
  label: string
  className?: string
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable
    <section tabIndex={0} aria-label={label} className={cn('overflow-auto p-3.5 text-xs leading-5', className)}>
      <pre>
        <code>
          {tokenize(text, language).map(({ kind, text: part }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a part of a text is where it stands
            <span key={index} className={colors[kind]}>
              {part}
            </span>
          ))}
        </code>
      </pre>
    </section>
  )
}
