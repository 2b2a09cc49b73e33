import { randomUUID } from 'node:crypto'
import { createUIMessageStreamResponse, type ModelMessage, streamText, type ToolSet, toUIMessageStream } from 'ai'
import type { AiUsage } from 'meterkit/ai'
import { aiOf } from 'saas/server/ai'
import {
  type AnswerFacts,
  askQuestion,
  isConversationId,
  keepAnswer,
  type Message,
  messagesOf,
} from 'saas/server/conversations'
import { requireSubscriber, type Subscriber } from 'saas/server/payer'
import { servicesContext } from 'saas/server/services'
import { z } from 'zod'
import type { Route } from './+types/stream'
import { answerPrice } from './answer-cost.ts'
import { type ChatMessage, MESSAGE_CHARACTERS_MAX } from './message.ts'

/** Room for the longest message in the longest encoding JSON has for it. */
const BODY_CHARACTERS_MAX = 64 * 1024
/** What is sent along of what was said before; the customer pays for it with every question. */
const HISTORY_MESSAGES_MAX = 20
const OUTPUT_TOKENS_MAX = 4_096

/** A question, answered as a stream of the AI SDK's UI messages. Only for who has a live subscription here. */
export async function action(args: Route.ActionArgs) {
  // The gate found customer and subscription; nothing below looks them up again.
  const payer = await requireSubscriber(args)
  const services = args.context.get(servicesContext)
  const { conversationId, message } = await readQuestion(args.request)
  const question = { conversationId, ...message, at: services.clock() }
  if (!(await askQuestion(services.pool, payer, question))) throw refusal(404, 'There is no such conversation.')
  const [ai, price, said] = await Promise.all([
    aiOf(services),
    answerPrice(services, payer.subscription),
    messagesOf(services.pool, conversationId),
  ])

  const answerId = randomUUID()
  const factsOf = ({ inputTokens, outputTokens, outcome }: Pick<AiUsage, 'inputTokens' | 'outputTokens' | 'outcome'>) =>
    ({
      model: ai.modelName,
      inputTokens,
      outputTokens,
      outcome,
      cost: price ? String(price.added(inputTokens + outputTokens)) : null,
      currency: price?.currency ?? null,
    }) satisfies AnswerFacts

  const model = ai.meter(ai.model, {
    customerId: payer.customer.id,
    subscriptionId: payer.subscription.id,
    userId: payer.user.id,
    ...(payer.source === 'organization' ? { organizationId: payer.sourceId } : {}),
    feature: 'chat',
    conversationId,
    onSettled: async (usage) => {
      // A refused attempt leaves nothing to keep, and the AI SDK may try again.
      if (usage.outcome === 'failed' && usage.text === '') return
      const { callId, text } = usage
      const at = services.clock()
      await keepAnswer(services.pool, { conversationId, id: answerId, callId, text, at, ...factsOf(usage) })
    },
  })
  const answer = streamText({
    model,
    instructions: instructionsFor(payer),
    messages: toModelMessages(said),
    maxOutputTokens: OUTPUT_TOKENS_MAX,
    abortSignal: args.request.signal,
    // The stream's own handler below tells the reader and the log.
    onError: () => {},
  })
  return createUIMessageStreamResponse({
    stream: toUIMessageStream<ToolSet, ChatMessage>({
      stream: answer.stream,
      generateMessageId: () => answerId,
      messageMetadata: ({ part }) => {
        if (part.type !== 'finish') return undefined
        const { inputTokens = 0, outputTokens = 0 } = part.totalUsage
        return { facts: factsOf({ inputTokens, outputTokens, outcome: 'completed' }) }
      },
      onError: (error) => {
        services.log.warn({ conversation: conversationId, error: String(error) }, 'an answer failed')
        return 'The model did not answer to the end. Your question is kept; only what it did write is counted.'
      },
    }),
  })
}

export function loader() {
  return Response.json({ error: 'Post a question here.' }, { status: 405, headers: { allow: 'POST' } })
}

const questionBody = z.object({
  id: z.string().refine(isConversationId, 'The conversation needs an id: a UUID.'),
  message: z.object({
    id: z.string().min(1).max(100),
    text: z.string().refine((text) => text.trim() !== '', 'The message is empty. Write something first.'),
  }),
})

/** @throws a JSON answer that says what is wrong */
async function readQuestion(request: Request) {
  if (!request.headers.get('content-type')?.includes('application/json'))
    throw refusal(415, 'Send the question as JSON.')
  const body = await request.text()
  if (body.length > BODY_CHARACTERS_MAX) throw refusal(413, 'The request is too large. Send the message alone.')
  const parsed = questionBody.safeParse(parseJson(body))
  if (!parsed.success) {
    const ours = parsed.error.issues.find(({ code }) => code === 'custom')
    throw refusal(400, ours?.message ?? 'Send the id of the conversation, and a message with its id and text.')
  }
  const { id, message } = parsed.data
  if (message.text.length > MESSAGE_CHARACTERS_MAX) {
    const [length, max] = [message.text.length, MESSAGE_CHARACTERS_MAX].map((count) => count.toLocaleString('en-US'))
    throw refusal(400, `The message has ${length} characters, and at most ${max} fit. Shorten it, or send it in parts.`)
  }
  return { conversationId: id.toLowerCase(), message: { id: message.id, text: message.text.replaceAll('\0', '') } }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusal(status: number, error: string): Response {
  return Response.json({ error }, { status })
}

function toModelMessages(said: Message[]): ModelMessage[] {
  const recent = said.filter(({ text }) => text !== '').slice(-HISTORY_MESSAGES_MAX)
  // Providers want the first word to be the user's.
  return recent
    .slice(recent.findIndex(({ role }) => role === 'user'))
    .map(({ role, text }) => ({ role, content: text }))
}

function instructionsFor({ basePath, billingPath }: Subscriber): string {
  return [
    'You are the assistant in an app that bills by the token with Meterkit (usage-based billing on Stripe for TypeScript).',
    'Answer in Markdown, to the point.',
    `Pages the person can open: [Billing](${billingPath}), [Plans](${basePath}/subscribe).`,
  ].join(' ')
}
