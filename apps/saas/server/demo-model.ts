import { setTimeout } from 'node:timers/promises'
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import { countPromptTokens, countTokens } from 'meterkit/ai'
import { DEMO_MODEL_ID } from './ai-provider.ts'
import { type DocumentationIndex, documentation, type Found } from './documentation.ts'

const WORD_EVERY_MS = 20

/** Below this part of what was asked for, a passage is about something else. */
const COVERAGE_MIN = 0.4
/** A further passage is quoted when it is nearly as good as the best. */
const FURTHER_SCORE_MIN = 0.6
const PASSAGES_MAX = 2
const PASSAGE_CHARACTERS_MAX = 900

/** What an empty chat offers, and what the model offers where it has no answer. */
export const DEMO_QUESTIONS = [
  'How do I record a metered event?',
  'How are 12,345 tokens priced?',
  'What happens when Stripe is down?',
  'How do I switch plans in the middle of a period?',
]

/**
 * A language model for machines without an API key: it answers questions about Meterkit by searching its
 * documentation and quoting what fits best. It speaks word by word, counts tokens with a real tokenizer, and falls
 * silent when it is told to stop.
 */
export function demoModel(docs: () => DocumentationIndex = documentation): LanguageModelV4 {
  return {
    specificationVersion: 'v4',
    provider: 'meterkit',
    modelId: DEMO_MODEL_ID,
    supportedUrls: {},
    async doGenerate({ prompt }) {
      const text = composeAnswer(prompt, docs())
      const usage = await usageOf(prompt, text)
      return { content: [{ type: 'text', text }], finishReason: { unified: 'stop', raw: 'stop' }, usage, warnings: [] }
    },
    async doStream(options) {
      return { stream: streamOf(speak(options, composeAnswer(options.prompt, docs()))) }
    },
  }
}

async function* speak(
  { prompt, abortSignal }: LanguageModelV4CallOptions,
  text: string,
): AsyncGenerator<LanguageModelV4StreamPart> {
  yield { type: 'stream-start', warnings: [] }
  yield { type: 'text-start', id: '0' }
  for (const word of text.match(/\s*\S+/g) ?? []) {
    await setTimeout(WORD_EVERY_MS, undefined, { signal: abortSignal })
    yield { type: 'text-delta', id: '0', delta: word }
  }
  yield { type: 'text-end', id: '0' }
  yield { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: await usageOf(prompt, text) }
}

function streamOf(parts: AsyncGenerator<LanguageModelV4StreamPart>): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await parts.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await parts.return(undefined)
    },
  })
}

async function usageOf(prompt: LanguageModelV4Prompt, text: string): Promise<LanguageModelV4Usage> {
  const input = await countPromptTokens(prompt)
  const output = await countTokens(text)
  return {
    inputTokens: { total: input, noCache: input, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: output, text: output, reasoning: 0 },
  }
}

/** Markdown. */
export function composeAnswer(prompt: LanguageModelV4Prompt, docs: DocumentationIndex): string {
  const questions = prompt.filter(({ role }) => role === 'user').map(textOf)
  const question = questions.at(-1) ?? ''
  if (isThanks(question)) return 'You are welcome. Ask on, if there is more you want to know about Meterkit.'
  if (isGreeting(question)) return introduction(docs)
  const found = docs
    .search(inContext(question, questions.at(-2), docs))
    .filter(({ coverage }) => coverage >= COVERAGE_MIN)
  return found[0] ? quotation(found, pagesIn(prompt)) : unknown(question, docs)
}

function isGreeting(text: string): boolean {
  return /^\W*(hi|hello|hey|hallo|good (morning|afternoon|evening)|greetings|help|who are you|what (can|do) you do)( (there|everyone|you|all))?\W*$/i.test(
    text,
  )
}

function isThanks(text: string): boolean {
  return /^\W*(thanks?|thank you|thx|great|perfect|ok(ay)?|cool)( (so much|a lot|you|very much))?\W*$/i.test(text)
}

/** "And why?" says little by itself; the question before it says what it is about. */
function inContext(question: string, previous: string | undefined, docs: DocumentationIndex): string {
  return previous && docs.knownWords(question).length < 2 ? `${previous} ${question}` : question
}

function introduction(docs: DocumentationIndex): string {
  return [
    'Hello. I am the demo model: I answer questions about Meterkit by searching its documentation, and every token of this conversation is metered like that of any other model.',
    'You could ask me:',
    DEMO_QUESTIONS.map((question) => `- ${question}`).join('\n'),
    `I know ${docs.sections.length} sections of documentation. With \`ANTHROPIC_API_KEY\` or \`OPENAI_API_KEY\` in the environment a real model answers here instead.`,
  ].join('\n\n')
}

function unknown(question: string, docs: DocumentationIndex): string {
  const near = docs.search(question, 3).map(({ section }) => `- **${section.path.at(-1)}** (\`${section.file}\`)`)
  return [
    "I found nothing about that in Meterkit's documentation, and it is all I know: I am the demo model, which searches and quotes.",
    ...(near.length > 0 ? ['The nearest I have is:', near.join('\n')] : []),
    'I can answer, for example:',
    DEMO_QUESTIONS.map((example) => `- ${example}`).join('\n'),
  ].join('\n\n')
}

function quotation(found: Found[], pages: string[]): string {
  const [best, ...others] = found
  const further = others.filter(({ score }) => score >= best!.score * FURTHER_SCORE_MIN).slice(0, PASSAGES_MAX - 1)
  const rest = others.filter((other) => !further.includes(other))
  const related = rest.slice(0, 3).map(({ section }) => `**${section.path.at(-1)}** (\`${section.file}\`)`)
  return [
    `Meterkit's documentation answers this under **${best!.section.path.at(-1)}**:`,
    passage(best!),
    ...further.flatMap((other) => [`### ${other.section.path.at(-1)}`, passage(other)]),
    ...(related.length > 0 ? [`Related: ${related.join(', ')}.`] : []),
    ...(pages.length > 0 ? [`See it with your own numbers: ${pages.join(', ')}.`] : []),
  ].join('\n\n')
}

function passage({ section: { file, body } }: Found): string {
  return `${plainLinks(beginningOf(body))}\n\n*From* \`${file}\``
}

/** Whole blocks of a section up to a readable length; code is never cut in two, nor parted from what announces it. */
function beginningOf(body: string): string {
  const blocks = body.match(/^(```|~~~)[\s\S]*?^\1.*$|(?:(?!^(?:```|~~~)).+\n?)+/gm) ?? [body]
  const taken: string[] = []
  let characters = 0
  for (const block of blocks) {
    const isAnnounced = taken.at(-1)?.endsWith(':') ?? true
    if (!isAnnounced && characters + block.length > PASSAGE_CHARACTERS_MAX) return `${taken.join('\n\n')}\n\n…`
    taken.push(block.trimEnd())
    characters += block.length
  }
  return taken.join('\n\n')
}

/** Pictures and links to other files of the documentation lead nowhere from a chat; their words stay. */
function plainLinks(markdown: string): string {
  return markdown.replace(/!\[[^\]]*\]\([^)]*\)/g, '').replace(/\[([^\]]+)\]\((?!https?:)[^)]*\)/g, '$1')
}

/** The pages that the instructions name, as links. */
function pagesIn(prompt: LanguageModelV4Prompt): string[] {
  const instructions = prompt.filter(({ role }) => role === 'system').map(textOf)
  return instructions.join('\n').match(/\[[^\]]+\]\(\/[^)]*\)/g) ?? []
}

function textOf({ content }: LanguageModelV4Prompt[number]): string {
  if (typeof content === 'string') return content
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}
