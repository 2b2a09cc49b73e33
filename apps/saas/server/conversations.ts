import type pg from 'pg'
import type { Payer } from './payer.ts'

/** Whose conversations: one person's at one payer. */
export type Reader = Pick<Payer, 'source' | 'sourceId' | 'user'>

export interface Conversation {
  id: string
  title: string
  updatedAt: Date
}

/** What an answer took. */
export interface AnswerFacts {
  /** As people call the model. */
  model: string
  inputTokens: number
  outputTokens: number
  outcome: 'completed' | 'stopped' | 'failed'
  /** What it added to the period, minor units; null where that is not known. */
  cost: string | null
  currency: string | null
}

export interface Message {
  id: string
  role: 'user' | 'assistant'
  text: string
  /** Null for a question. */
  facts: AnswerFacts | null
}

const TITLE_CHARACTERS_MAX = 60
const CONVERSATIONS_MAX = 200

const OF_READER = 'user_id = $1 and payer_source = $2 and payer_id = $3'

/** The most recent first. */
export async function listConversations(pool: pg.Pool, reader: Reader): Promise<Conversation[]> {
  const { rows } = await pool.query<Conversation>(
    /* sql */ `
      select id, title, updated_at as "updatedAt" from app.conversations
      where ${OF_READER}
      order by updated_at desc, id
      limit ${CONVERSATIONS_MAX}`,
    keysOf(reader),
  )
  return rows
}

/** Null for one that does not exist or is not this reader's. */
export async function findConversation(pool: pg.Pool, reader: Reader, id: string): Promise<Conversation | null> {
  if (!isConversationId(id)) return null
  const { rows } = await pool.query<Conversation>(
    `select id, title, updated_at as "updatedAt" from app.conversations where ${OF_READER} and id = $4`,
    [...keysOf(reader), id],
  )
  return rows[0] ?? null
}

/** In the order they were said. */
export async function messagesOf(pool: pg.Pool, conversationId: string): Promise<Message[]> {
  const { rows } = await pool.query<Omit<Message, 'facts'> & AnswerFacts>(
    /* sql */ `
      select id, role, text, model, input_tokens::float8 as "inputTokens", output_tokens::float8 as "outputTokens",
        outcome, cost::text, currency
      from app.messages
      where conversation_id = $1
      order by position`,
    [conversationId],
  )
  return rows.map(({ id, role, text, ...facts }) => ({ id, role, text, facts: facts.outcome ? facts : null }))
}

/**
 * Writes a question down; the first one begins the conversation and names it. A question that is already there (the
 * answer failed, and is asked for once more) loses the answers behind it.
 *
 * @returns false when the conversation is somebody else's
 */
export async function askQuestion(
  pool: pg.Pool,
  reader: Reader,
  question: { conversationId: string; id: string; text: string; at: Date },
): Promise<boolean> {
  const { conversationId, id, text, at } = question
  await pool.query(
    /* sql */ `
      insert into app.conversations (id, payer_source, payer_id, user_id, title, created_at, updated_at)
      values ($4, $2, $3, $1, $5, $6, $6)
      on conflict (id) do nothing`,
    [...keysOf(reader), conversationId, titleOf(text), at],
  )
  const { rowCount } = await pool.query(`update app.conversations set updated_at = $5 where ${OF_READER} and id = $4`, [
    ...keysOf(reader),
    conversationId,
    at,
  ])
  if (rowCount === 0) return false
  await pool.query(
    /* sql */ `
      insert into app.messages (conversation_id, id, role, text, at) values ($1, $2, 'user', $3, $4)
      on conflict (conversation_id, id) do nothing`,
    [conversationId, id, text, at],
  )
  await pool.query(
    /* sql */ `
      delete from app.messages
      where conversation_id = $1
        and position > (select position from app.messages where conversation_id = $1 and id = $2)`,
    [conversationId, id],
  )
  return true
}

/** Keeps an answer, whole or cut short. One whose conversation was deleted meanwhile is dropped. */
export async function keepAnswer(
  pool: pg.Pool,
  answer: AnswerFacts & { conversationId: string; id: string; callId: string; text: string; at: Date },
): Promise<void> {
  await pool.query(
    /* sql */ `
      insert into app.messages (
        conversation_id, id, role, text, at, call_id, model, input_tokens, output_tokens, outcome, cost, currency)
      select id, $2, 'assistant', $3, $4, $5, $6, $7, $8, $9, $10, $11 from app.conversations where id = $1
      on conflict (conversation_id, id) do nothing`,
    [
      answer.conversationId,
      answer.id,
      answer.text,
      answer.at,
      answer.callId,
      answer.model,
      answer.inputTokens,
      answer.outputTokens,
      answer.outcome,
      answer.cost,
      answer.currency,
    ],
  )
}

/** @returns false when there is no such conversation of this reader */
export async function renameConversation(pool: pg.Pool, reader: Reader, id: string, title: string): Promise<boolean> {
  if (!isConversationId(id)) return false
  const { rowCount } = await pool.query(`update app.conversations set title = $5 where ${OF_READER} and id = $4`, [
    ...keysOf(reader),
    id,
    titleOf(title),
  ])
  return rowCount === 1
}

/** With its messages. What they used stays billed. @returns false when there is no such conversation of this reader */
export async function deleteConversation(pool: pg.Pool, reader: Reader, id: string): Promise<boolean> {
  if (!isConversationId(id)) return false
  const { rowCount } = await pool.query(`delete from app.conversations where ${OF_READER} and id = $4`, [
    ...keysOf(reader),
    id,
  ])
  return rowCount === 1
}

export function isConversationId(id: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)
}

/** One line, cut at a word where that is not too early. */
function titleOf(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  if (line.length <= TITLE_CHARACTERS_MAX) return line
  const cut = line.slice(0, TITLE_CHARACTERS_MAX)
  const space = cut.lastIndexOf(' ')
  return `${cut.slice(0, space > TITLE_CHARACTERS_MAX / 2 ? space : undefined).replace(/[\uD800-\uDBFF]$/, '')}…`
}

function keysOf({ user, source, sourceId }: Reader): [userId: string, source: string, sourceId: string] {
  return [user.id, source, sourceId]
}
