import { formatMoney } from '~/ui/money'
import { formatQuantity } from '~/ui/quantity'
import { Markdown } from './markdown.tsx'
import { type ChatMessage, textOf } from './message.ts'

/** A question on the right, an answer over the full width with what it took below. */
export function MessageView({ message, writing }: { message: ChatMessage; writing: boolean }) {
  const text = textOf(message)
  if (message.role === 'user') {
    return (
      <article aria-label="You" className="flex justify-end">
        <p className="max-w-[85%] whitespace-pre-wrap break-words rounded-card bg-raised px-4 py-2.5 leading-6">
          {text}
        </p>
      </article>
    )
  }
  const facts = message.metadata?.facts
  return (
    <article aria-label="Answer" className="min-w-0">
      <Markdown text={text} />
      {text === '' && (writing ? <Thinking /> : <p className="text-muted">Stopped before the first word.</p>)}
      {facts && <FactsLine facts={facts} />}
      {!facts && !writing && text !== '' && <p className="mt-2 text-muted text-xs">Stopped · counting …</p>}
    </article>
  )
}

/** Three dots, until the first word. */
export function Thinking() {
  return (
    <span role="status" className="inline-flex h-6 items-center gap-1">
      <span className="sr-only">The answer is on its way.</span>
      {[0, 150, 300].map((delay) => (
        <span
          key={delay}
          aria-hidden
          style={{ animationDelay: `${delay}ms` }}
          className="size-1.5 animate-pulse rounded-full bg-muted"
        />
      ))}
    </span>
  )
}

type Facts = NonNullable<NonNullable<ChatMessage['metadata']>['facts']>

function FactsLine({ facts: { model, inputTokens, outputTokens, outcome, cost, currency } }: { facts: Facts }) {
  const words = { completed: null, stopped: 'stopped', failed: 'broken off' }[outcome]
  const parts = [
    `${formatQuantity(inputTokens)} in`,
    `${formatQuantity(outputTokens)} out`,
    ...(cost !== null && currency !== null ? [`${formatMoney(cost, currency)} this answer`] : []),
    model,
    ...(words ? [words] : []),
  ]
  return (
    <p
      className="mt-2 text-muted text-xs tabular-nums"
      title="Tokens in: your question, what was said before and the instructions. The price is what this answer added to the period."
    >
      {parts.join(' · ')}
    </p>
  )
}
