import { useChat } from '@ai-sdk/react'
import { DefaultChatTransport } from 'ai'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useRevalidator } from 'react-router'
import { Alert } from '~/ui/alert'
import { Button, LinkButton } from '~/ui/button'
import { Composer } from './composer.tsx'
import { type ChatMessage, textOf } from './message.ts'
import { MessageView, Thinking } from './message-view.tsx'

/** The page follows the words at this pace: quick enough to look alive, slow enough to stay cheap. */
const REDRAW_EVERY_MS = 50
/** After a stop the server counts what it had written; usually that takes less than the first of these. */
const FACTS_AFTER_MS = [300, 1_000, 3_000]

/** One conversation: what was said, what is being said, and where one writes. */
export function Thread({
  id,
  said,
  streamPath,
  subscribePath,
  questions,
  modelName,
  onAnswered,
}: {
  id: string
  /** As the server has it. */
  said: ChatMessage[]
  streamPath: string
  subscribePath: string
  /** What an empty conversation offers. */
  questions: string[]
  modelName: string
  onAnswered: () => void
}) {
  const { revalidate } = useRevalidator()
  const [transport] = useState(
    () =>
      new DefaultChatTransport<ChatMessage>({
        api: streamPath,
        prepareSendMessagesRequest: ({ id: conversation, messages }) => {
          const question = messages.findLast(({ role }) => role === 'user')
          return { body: { id: conversation, message: { id: question?.id, text: question ? textOf(question) : '' } } }
        },
      }),
  )
  const { messages, sendMessage, regenerate, stop, status, error, clearError } = useChat<ChatMessage>({
    id,
    messages: said,
    transport,
    throttle: REDRAW_EVERY_MS,
    // A question that never reached the server has no conversation to go to.
    onFinish: ({ message }) => (textOf(message) === '' ? void revalidate() : onAnswered()),
  })
  const answering = status === 'submitted' || status === 'streaming'
  const shown = messages.map((message) => withFacts(message, said))
  useMissingFacts(shown, answering, revalidate)

  const input = useRef<HTMLTextAreaElement>(null)
  const { end, toEnd } = useStayAtEnd(shown)
  const ask = (text: string) => {
    clearError()
    void sendMessage({ text })
    toEnd()
    input.current?.focus()
  }

  const unanswered = !answering && !error && shown.at(-1)?.role === 'user'
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      {shown.length === 0 ? (
        <Welcome questions={questions} modelName={modelName} onAsk={ask} />
      ) : (
        <div role="log" aria-label="Conversation" aria-live="polite" aria-busy={answering} className="space-y-6 py-6">
          {shown.map((message, index) => (
            <MessageView key={message.id} message={message} writing={answering && index === shown.length - 1} />
          ))}
          {status === 'submitted' && shown.at(-1)?.role === 'user' && <Thinking />}
          {error && <Failure error={error} subscribePath={subscribePath} onRetry={() => void regenerate()} />}
          {unanswered && (
            <Alert tone="warning" actions={<Button onClick={() => void regenerate()}>Ask again</Button>}>
              This question has no answer.
            </Alert>
          )}
        </div>
      )}
      <div ref={end} aria-hidden className="h-px scroll-mb-24" />
      <noscript>
        <p className="py-6">The chat needs JavaScript: an answer is shown while it is being written.</p>
      </noscript>
      <Composer input={input} answering={answering} onSend={ask} onStop={() => void stop()} />
    </div>
  )
}

function Welcome({
  questions,
  modelName,
  onAsk,
}: {
  questions: string[]
  modelName: string
  onAsk: (question: string) => void
}) {
  return (
    <div className="flex flex-1 flex-col justify-center py-10">
      <h2 className="font-medium text-xl tracking-tight">What would you like to know?</h2>
      <p className="mt-1 text-muted">
        The {modelName} answers. Every question and answer is counted in tokens and appears on the bill within a second.
      </p>
      <ul className="mt-6 grid gap-2 sm:grid-cols-2">
        {questions.map((question) => (
          <li key={question}>
            <button
              type="button"
              onClick={() => onAsk(question)}
              className="h-full w-full rounded-card border bg-surface px-4 py-3 text-left transition-colors hover:border-border-strong hover:bg-raised"
            >
              {question}
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Failure({ error, subscribePath, onRetry }: { error: Error; subscribePath: string; onRetry: () => void }) {
  const { message, needsPlan } = readError(error)
  return (
    <Alert
      tone="danger"
      title="No answer"
      actions={
        needsPlan ? (
          <LinkButton to={subscribePath} variant="primary">
            See the plans
          </LinkButton>
        ) : (
          <Button onClick={onRetry}>Try again</Button>
        )
      }
    >
      {message}
    </Alert>
  )
}

/** The server answers refusals as JSON, and the AI SDK hands its text on; a failed answer comes as a sentence. */
function readError({ message }: Error): { message: string; needsPlan: boolean } {
  try {
    const body: { error?: string; subscribe?: string } = JSON.parse(message)
    return { message: body.error ?? 'The server refused the question.', needsPlan: body.subscribe !== undefined }
  } catch {
    const offline = /fetch|network|load failed/i.test(message)
    return {
      message: offline ? 'The server could not be reached. Your question is still here; try again.' : message,
      needsPlan: false,
    }
  }
}

/** What the page heard itself, else what the server has written down since. */
function withFacts(message: ChatMessage, said: ChatMessage[]): ChatMessage {
  if (message.role === 'user' || message.metadata?.facts) return message
  const metadata = said.find(({ id }) => id === message.id)?.metadata
  return metadata ? { ...message, metadata } : message
}

/** A stopped answer is counted by the server after the page has gone deaf: the page asks for the result. */
function useMissingFacts(shown: ChatMessage[], answering: boolean, revalidate: () => Promise<void>): void {
  const last = shown.at(-1)
  const missing = !answering && last?.role === 'assistant' && !last.metadata?.facts && textOf(last) !== ''
  useEffect(() => {
    if (!missing) return
    const timers = FACTS_AFTER_MS.map((delay) => setTimeout(() => void revalidate(), delay))
    return () => timers.forEach(clearTimeout)
  }, [missing, revalidate])
}

/** Keeps the newest words in view, unless the reader has scrolled away from them. */
function useStayAtEnd(shown: unknown) {
  const end = useRef<HTMLDivElement>(null)
  const follows = useRef(true)
  const toEnd = useCallback(() => {
    follows.current = true
    requestAnimationFrame(() => end.current?.scrollIntoView({ block: 'end' }))
  }, [])
  useEffect(() => {
    if (!end.current) return
    // The composer covers the last hundred pixels.
    const observer = new IntersectionObserver(
      ([entry]) => {
        follows.current = entry?.isIntersecting ?? true
      },
      { rootMargin: '0px 0px 160px 0px' },
    )
    observer.observe(end.current)
    return () => observer.disconnect()
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new word may push the end out of view
  useEffect(() => {
    if (follows.current) end.current?.scrollIntoView({ block: 'end' })
  }, [shown])
  return { end, toEnd }
}
