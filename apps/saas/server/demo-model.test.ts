import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LanguageModelV4Prompt } from '@ai-sdk/provider'
import { generateText, streamText } from 'ai'
import { countTokens } from 'meterkit/ai'
import { composeAnswer, demoModel } from './demo-model.ts'
import { indexSections, splitSections } from './documentation.ts'

const GUIDE = `# Guide

## Recording events

Call \`recordEvent\` with a meter and a quantity; see [errors](errors.md). It returns at once.

## Webhooks

Stripe posts them to the app. Each is verified on the raw body.
`
const docs = () => indexSections(splitSections('docs/guide.md', GUIDE))

const ask = (...questions: string[]) =>
  questions.map((text) => ({ role: 'user' as const, content: [{ type: 'text' as const, text }] }))

test('a question is answered with the passage that fits, and where it stands', () => {
  const answer = composeAnswer(ask('How do I record an event?'), docs())
  assert.match(answer, /under \*\*Recording events\*\*/)
  assert.match(answer, /Call `recordEvent`/)
  assert.match(answer, /`docs\/guide\.md`/)
  assert.doesNotMatch(answer, /\]\(errors\.md\)/, 'a link within the documentation leads nowhere from a chat')
  assert.doesNotMatch(answer, /Webhooks/)
})

test('the pages that the instructions name are linked', () => {
  const prompt: LanguageModelV4Prompt = [
    { role: 'system', content: 'Pages: [Billing](/app/billing).' },
    ...ask('how are webhooks verified?'),
  ]
  assert.match(composeAnswer(prompt, docs()), /\[Billing\]\(\/app\/billing\)/)
})

test('greetings, thanks and what is not in the documentation get a sensible word', () => {
  for (const greeting of ['Hello', 'hi!', 'Hey there', 'help', 'What can you do?']) {
    assert.match(composeAnswer(ask(greeting), docs()), /^Hello\. I am the demo model/, greeting)
  }
  assert.match(composeAnswer(ask('thanks!'), docs()), /^You are welcome/)
  for (const question of ['What is the weather in Paris?', '???', 'x'.repeat(8000)]) {
    assert.match(composeAnswer(ask(question), docs()), /^I found nothing about that/, question)
  }
  assert.match(composeAnswer(ask('hello'), indexSections([])), /^Hello/)
  assert.match(composeAnswer(ask('webhooks?'), indexSections([])), /^I found nothing/)
})

test('a short question is read together with the one before', () => {
  assert.match(composeAnswer(ask('how are webhooks verified?', 'and why?'), docs()), /under \*\*Webhooks\*\*/)
})

test('it streams what it generates, and counts both sides with the tokenizer', async () => {
  const prompt = 'how are webhooks verified?'
  const whole = await generateText({ model: demoModel(docs), prompt })
  const streamed = streamText({ model: demoModel(docs), prompt })
  assert.equal(await streamed.text, whole.text)
  assert.equal(whole.usage.outputTokens, await countTokens(whole.text))
  assert.equal(whole.usage.inputTokens, (await countTokens(prompt)) + 4)
  assert.deepEqual(
    [(await streamed.usage).inputTokens, (await streamed.usage).outputTokens],
    [whole.usage.inputTokens, whole.usage.outputTokens],
  )
})

test('it falls silent when it is told to', async () => {
  const stop = new AbortController()
  const answer = streamText({
    model: demoModel(docs),
    prompt: 'how are webhooks verified?',
    abortSignal: stop.signal,
  })
  let text = ''
  for await (const part of answer.stream) {
    if (part.type === 'text-delta') text += part.text
    if (text.split(' ').length === 3) stop.abort()
  }
  assert.equal(text, "Meterkit's documentation answers")
})
