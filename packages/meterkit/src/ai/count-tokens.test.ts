import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPromptTokens, countTokens, tolerant } from './count-tokens.ts'

test('text is counted as current models count it', async () => {
  assert.equal(await countTokens(''), 0)
  assert.equal(await countTokens('hello world'), 2)
  assert.equal(await countTokens('hello '.repeat(5000)), 5001) // across slices: "hello", " hello" …, and the last space
})

test('a special token written by a person is plain text', async () => {
  assert.ok((await countTokens('<|endoftext|>')) > 1)
})

test('a long run without a word boundary does not hold up the process', async () => {
  await countTokens('loads the tokenizer')
  const startedAt = performance.now()
  // Eight letters a token, and one more where a slice of 2,000 ends at worst.
  const tokens = await countTokens('a'.repeat(100_000))
  assert.ok(performance.now() - startedAt < 2_000)
  assert.ok(tokens >= 12_500 && tokens <= 12_550, String(tokens))
})

test('a pair of surrogates is not cut', async () => {
  // One letter in front, so that a slice would end inside a pair.
  assert.equal(await countTokens(`a${'😀'.repeat(2000)}`), 1 + 2000)
})

test('a prompt counts its text and four tokens a message', async () => {
  const prompt = [
    { role: 'system' as const, content: 'hello' },
    { role: 'user' as const, content: [{ type: 'text' as const, text: 'world' }] },
  ]
  assert.equal(await countPromptTokens(prompt, (text) => text.length), 'hello\nworld'.length + 8)
})

test('a tokenizer that fails is replaced by four characters a token', async () => {
  const broken = () => {
    throw new Error('no tokenizer')
  }
  assert.equal(await tolerant(broken)('12345'), 2)
  assert.equal(await tolerant(() => Number.NaN)('12345'), 2)
})
