import type { UIMessage } from 'ai'
import type { AnswerFacts, Message } from 'saas/server/conversations'

/** More than this is refused; about 2,000 tokens. */
export const MESSAGE_CHARACTERS_MAX = 8_000

/** What travels with a message of the chat besides its text. */
export interface ChatMetadata {
  facts?: AnswerFacts
}

export type ChatMessage = UIMessage<ChatMetadata>

export function toChatMessage({ id, role, text, facts }: Message): ChatMessage {
  return { id, role, parts: [{ type: 'text', text }], ...(facts ? { metadata: { facts } } : {}) }
}

export function textOf(message: ChatMessage): string {
  return message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}
