import { memo } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import { Link } from 'react-router'
import remarkGfm from 'remark-gfm'
import { CodeBlock } from '~/ui/code-block'
import type { Language } from '~/ui/highlight'

const LANGUAGES: Record<string, Language> = {
  ts: 'ts',
  tsx: 'ts',
  typescript: 'ts',
  js: 'ts',
  javascript: 'ts',
  sh: 'sh',
  bash: 'sh',
  shell: 'sh',
  json: 'json',
  sql: 'sql',
}

const PLUGINS = [remarkGfm]

/** An answer's headings stand below the page's own. */
const components: Components = {
  h1: ({ children }) => <h3 className="mt-6 mb-2 font-medium text-base first:mt-0">{children}</h3>,
  h2: ({ children }) => <h3 className="mt-6 mb-2 font-medium text-base first:mt-0">{children}</h3>,
  h3: ({ children }) => <h3 className="mt-6 mb-2 font-medium text-base first:mt-0">{children}</h3>,
  h4: ({ children }) => <h4 className="mt-4 mb-1.5 font-medium first:mt-0">{children}</h4>,
  h5: ({ children }) => <h4 className="mt-4 mb-1.5 font-medium first:mt-0">{children}</h4>,
  h6: ({ children }) => <h4 className="mt-4 mb-1.5 font-medium first:mt-0">{children}</h4>,
  p: ({ children }) => <p className="my-3 first:mt-0 last:mb-0">{children}</p>,
  ul: ({ children }) => <ul className="my-3 list-disc space-y-1 pl-5 marker:text-muted">{children}</ul>,
  ol: ({ children, start }) => (
    <ol start={start} className="my-3 list-decimal space-y-1 pl-5 marker:text-muted">
      {children}
    </ol>
  ),
  blockquote: ({ children }) => <blockquote className="my-3 border-l-2 pl-4 text-muted">{children}</blockquote>,
  hr: () => <hr className="my-5" />,
  a: ({ href = '', children }) => {
    const look = 'text-accent underline underline-offset-2 hover:text-accent-strong'
    if (href.startsWith('/')) {
      return (
        <Link to={href} className={look}>
          {children}
        </Link>
      )
    }
    return (
      <a href={href} target="_blank" rel="noreferrer" className={look}>
        {children}
      </a>
    )
  },
  // A model's picture would be loaded from wherever it names.
  img: ({ alt }) => <span className="text-muted">{alt}</span>,
  pre: ({ children }) => children,
  code: ({ className, children }) => {
    const text = String(children ?? '')
    const [, language] = /language-(\w+)/.exec(className ?? '') ?? []
    if (!language && !text.includes('\n')) {
      return <code className="break-words rounded bg-raised px-1 py-0.5">{children}</code>
    }
    return <CodeBlock code={text} language={LANGUAGES[language ?? ''] ?? 'text'} className="my-3" />
  },
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable
    <section tabIndex={0} aria-label="Table" className="my-3 overflow-x-auto rounded-lg border">
      <table className="w-full border-collapse text-left tabular-nums">{children}</table>
    </section>
  ),
  th: ({ children }) => <th className="border-b bg-raised px-3 py-2 font-medium text-xs">{children}</th>,
  td: ({ children }) => <td className="border-b px-3 py-2 [tr:last-child>&]:border-b-0">{children}</td>,
}

/** Markdown as a model writes it, also while it is still writing; raw HTML is shown as text. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className="min-w-0 break-words leading-6">
      <ReactMarkdown remarkPlugins={PLUGINS} components={components}>
        {text}
      </ReactMarkdown>
    </div>
  )
})
