import type { LanguageModelV4Prompt, LanguageModelV4ToolResultOutput } from '@ai-sdk/provider'

/**
 * The tokenizer's time grows with the square of a run without a word boundary (100,000 letters: 7 seconds), so a
 * text is counted in slices of this many characters; a cut costs at most one token.
 */
const SLICE_CHARACTERS = 2_000

/** What a chat format spends on a message's role and its borders. */
const TOKENS_PER_MESSAGE = 4

/** Where even the tokenizer fails: the usual rule of thumb. */
const CHARACTERS_PER_TOKEN = 4

export type CountTokens = (text: string) => number | Promise<number>

/** Tokens of a text in the encoding of current models (o200k). The tokenizer is loaded at the first call: 0.2 s, 76 MB. */
export async function countTokens(text: string): Promise<number> {
  if (text === '') return 0
  const tokenizer = await import('gpt-tokenizer')
  // Special tokens such as <|endoftext|> are plain text where people write them.
  const plain = { disallowedSpecial: new Set<string>() }
  let tokens = 0
  for (const slice of slices(text)) tokens += tokenizer.countTokens(slice, plain)
  return tokens
}

/** Tokens of a prompt as a provider would count its text; pictures and files are not counted. */
export async function countPromptTokens(
  prompt: LanguageModelV4Prompt,
  count: CountTokens = countTokens,
): Promise<number> {
  return (await count(prompt.map(messageText).join('\n'))) + prompt.length * TOKENS_PER_MESSAGE
}

/** As `count`, but never throws: usage must not be lost because it could not be counted exactly. */
export function tolerant(count: CountTokens): (text: string) => Promise<number> {
  return async (text) => {
    try {
      const tokens = await count(text)
      if (Number.isSafeInteger(tokens) && tokens >= 0) return tokens
    } catch {
      // The estimate below stands in.
    }
    return Math.ceil(text.length / CHARACTERS_PER_TOKEN)
  }
}

function* slices(text: string): Generator<string> {
  let start = 0
  while (start < text.length) {
    const end = cut(text, start)
    yield text.slice(start, end)
    start = end
  }
}

/** At the last space within reach (a token begins with its space), never inside a pair of surrogates. */
function cut(text: string, start: number): number {
  const limit = start + SLICE_CHARACTERS
  if (limit >= text.length) return text.length
  const space = text.lastIndexOf(' ', limit)
  if (space > start + SLICE_CHARACTERS / 2) return space
  const code = text.charCodeAt(limit)
  return code >= 0xdc00 && code <= 0xdfff ? limit - 1 : limit
}

function messageText(message: LanguageModelV4Prompt[number]): string {
  if (message.role === 'system') return message.content
  return message.content
    .map((part) => {
      if (part.type === 'text' || part.type === 'reasoning') return part.text
      if (part.type === 'tool-call') return `${part.toolName} ${JSON.stringify(part.input)}`
      if (part.type === 'tool-result') return `${part.toolName} ${outputText(part.output)}`
      return ''
    })
    .join('\n')
}

function outputText(output: LanguageModelV4ToolResultOutput): string {
  if (output.type === 'text' || output.type === 'error-text') return output.value
  if (output.type === 'execution-denied') return output.reason ?? ''
  return JSON.stringify(output.value)
}
