import { randomUUID } from 'node:crypto'
import MessagesSquare from 'lucide-react/icons/messages-square'
import { useCallback, useEffect, useState } from 'react'
import { data, Link, redirect, useNavigate, useRevalidator } from 'react-router'
import { aiOf } from 'saas/server/ai'
import {
  deleteConversation,
  findConversation,
  listConversations,
  messagesOf,
  renameConversation,
} from 'saas/server/conversations'
import { DEMO_QUESTIONS } from 'saas/server/demo-model'
import { requireSubscriber } from 'saas/server/payer'
import { servicesContext } from 'saas/server/services'
import { notFound } from 'saas/server/session'
import { readStanding, toWire, type WireStanding } from '~/billing/standing'
import { useRefresh, useStanding } from '~/billing/use-standing'
import { Button } from '~/ui/button'
import { Dialog } from '~/ui/dialog'
import { formatMoney, Money } from '~/ui/money'
import { formatQuantity, Quantity } from '~/ui/quantity'
import type { Route } from './+types/ai-chat'
import { type ConversationItem, ConversationList } from './conversation-list.tsx'
import { type ChatMessage, toChatMessage } from './message.ts'
import { Thread } from './thread.tsx'

export const meta: Route.MetaFunction = ({ loaderData }) => [
  { title: `${loaderData?.conversation?.title ?? 'AI chat'} · Meterkit` },
]

export async function loader(args: Route.LoaderArgs) {
  const payer = await requireSubscriber(args)
  const services = args.context.get(servicesContext)
  const { conversationId } = args.params
  const [conversations, conversation, standing, ai] = await Promise.all([
    listConversations(services.pool, payer),
    conversationId ? findConversation(services.pool, payer, conversationId) : null,
    readStanding(services, payer.customer.id),
    aiOf(services),
  ])
  if (conversationId && !conversation) throw notFound()
  const said = conversation ? await messagesOf(services.pool, conversation.id) : []
  return {
    basePath: payer.basePath,
    billingPath: payer.billingPath,
    conversations: conversations.map(({ id, title }) => ({ id, title })),
    conversation: conversation && { id: conversation.id, title: conversation.title },
    said: said.map(toChatMessage),
    newId: randomUUID(),
    standing: toWire(standing),
    modelName: ai.modelName,
    questions: DEMO_QUESTIONS,
  }
}

/** Renames or deletes a conversation. */
export async function action(args: Route.ActionArgs) {
  const payer = await requireSubscriber(args)
  const { pool } = args.context.get(servicesContext)
  const form = await args.request.formData()
  const [intent, id, title] = ['intent', 'id', 'title'].map((name) => String(form.get(name) ?? '').trim())
  if (intent === 'delete') {
    if (!(await deleteConversation(pool, payer, id!))) throw notFound()
    const chatPath = `${payer.basePath}/ai-chat`
    return redirect(args.params.conversationId === id ? chatPath : args.url.pathname)
  }
  if (intent !== 'rename') throw data('There is no such action.', { status: 400 })
  if (title === '') return data({ error: 'A conversation needs a name.' }, { status: 400 })
  if (!(await renameConversation(pool, payer, id!, title!))) throw notFound()
  return { error: null }
}

export default function AiChat({ loaderData }: Route.ComponentProps) {
  const { basePath, billingPath, conversations, conversation, said, standing, modelName, questions } = loaderData
  const chatPath = `${basePath}/ai-chat`
  const threadId = useThreadId(conversation?.id ?? null, loaderData.newId)
  const showAddress = useShowAddress(chatPath, threadId, conversation?.id ?? null)
  return (
    <div className="grid gap-x-8 lg:grid-cols-[13.5rem_minmax(0,1fr)]">
      <aside className="max-lg:hidden">
        <div className="sticky top-22 flex max-h-[calc(100dvh-7rem)] flex-col">
          <ConversationList conversations={conversations} currentId={conversation?.id ?? null} chatPath={chatPath} />
        </div>
      </aside>
      <div className="mx-auto flex -mb-6 min-h-[calc(100dvh-5rem)] w-full md:-mb-8 md:min-h-[calc(100dvh-5.5rem)] min-w-0 max-w-3xl flex-col">
        <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b pb-3">
          <div className="flex min-w-0 items-center gap-2">
            <ConversationsSheet
              conversations={conversations}
              currentId={conversation?.id ?? null}
              chatPath={chatPath}
            />
            <div className="min-w-0">
              <h1 className="truncate font-medium text-base">{conversation?.title ?? 'New chat'}</h1>
              <ConversationSum said={said} />
            </div>
          </div>
          <PeriodSoFar loaded={standing} path={`${basePath}/billing/live`} billingPath={billingPath} />
        </header>
        <Thread
          key={threadId}
          id={threadId}
          said={said}
          streamPath={`${basePath}/ai-chat-stream`}
          subscribePath={`${basePath}/subscribe`}
          questions={questions}
          modelName={modelName}
          onAnswered={showAddress}
        />
      </div>
    </div>
  )
}

/**
 * A chat not yet begun has an id already, and keeps its place on the page when it gets an address. Once that id is
 * used, the next new chat takes another one.
 */
function useThreadId(conversationId: string | null, offeredId: string): string {
  const [newId, setNewId] = useState(offeredId)
  useEffect(() => {
    if (conversationId === newId) setNewId(offeredId)
  }, [conversationId, newId, offeredId])
  return conversationId ?? newId
}

/** Gives a conversation its address once it has been begun, and takes over what the server knows since. */
function useShowAddress(chatPath: string, threadId: string, conversationId: string | null): () => void {
  const navigate = useNavigate()
  const { revalidate } = useRevalidator()
  return useCallback(() => {
    if (conversationId === threadId) void revalidate()
    else void navigate(`${chatPath}/${threadId}`, { replace: true, preventScrollReset: true })
  }, [chatPath, threadId, conversationId, navigate, revalidate])
}

/** Below the width for a column of its own, the list is behind a button. */
function ConversationsSheet(props: { conversations: ConversationItem[]; currentId: string | null; chatPath: string }) {
  const [open, setOpen] = useState(false)
  return (
    <span className="noscript:hidden lg:hidden">
      <Dialog
        title="Conversations"
        open={open}
        onOpenChange={setOpen}
        trigger={
          <Button variant="secondary" size="icon" aria-label="Conversations">
            <MessagesSquare aria-hidden />
          </Button>
        }
      >
        <ConversationList {...props} onLeave={() => setOpen(false)} />
      </Dialog>
    </span>
  )
}

/** What this conversation took so far. */
function ConversationSum({ said }: { said: ChatMessage[] }) {
  const facts = said.flatMap(({ metadata }) => metadata?.facts ?? [])
  if (facts.length === 0) return null
  const tokens = facts.reduce((total, { inputTokens, outputTokens }) => total + inputTokens + outputTokens, 0)
  const currency = facts.at(-1)?.currency ?? null
  const isPriced = currency !== null && facts.every((fact) => fact.cost !== null && fact.currency === currency)
  const cost = isPriced ? facts.reduce((total, fact) => total + BigInt(fact.cost ?? 0), 0n) : null
  return (
    <p className="text-muted text-xs tabular-nums">
      {formatQuantity(tokens, 'tokens')}
      {cost !== null && currency !== null && ` · ${formatMoney(cost, currency)}`} in this conversation
    </p>
  )
}

/** The running period, live. */
function PeriodSoFar({ loaded, path, billingPath }: { loaded: WireStanding; path: string; billingPath: string }) {
  const { standing } = useStanding(path, loaded)
  useRefresh(loaded, standing) // the frame shows it as well
  const { usage, upcoming } = standing
  const meter = usage?.meters.find(({ meter: name }) => name === 'ai_tokens')
  if (!meter || !upcoming) return null
  return (
    <Link
      to={billingPath}
      className="rounded-lg px-2 py-1 text-muted tabular-nums hover:bg-raised max-sm:-mx-2"
      title="This period so far"
    >
      <Quantity value={meter.quantity} unit={meter.unit} className="text-text" /> ·{' '}
      <Money amount={upcoming.amount} currency={upcoming.currency} className="text-text" />
      <span className="max-sm:sr-only"> this period</span>
    </Link>
  )
}
