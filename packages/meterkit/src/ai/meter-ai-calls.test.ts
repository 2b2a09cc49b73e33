import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LanguageModelV4, LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider'
import { generateText, streamText } from 'ai'
import { testDatabase } from 'local-postgres/testing'
import pg from 'pg'
import { migrate } from '../database/migrate.ts'
import type { AiUsage } from './call.ts'
import { type MeterAiCallsOptions, meterAiCalls } from './meter-ai-calls.ts'
import { aiCostByDay, countAiCalls, listAiCalls } from './store.ts'

const CUSTOMER = '01890000-0000-7000-8000-000000000001'
const SUBSCRIPTION = '01890000-0000-7000-8000-000000000002'
const NOON = new Date('2026-11-24T12:00:00Z')
const call = { customerId: CUSTOMER, subscriptionId: SUBSCRIPTION, feature: 'chat', userId: 'user_1' }

test('a streamed answer is counted once, before the reader has seen its end, and logged', async (t) => {
  const { pool, meter, used } = await world(t)
  const answer = streamText({ model: meter(speaking(['Hello', ' there']), call), prompt: 'Hi' })

  for await (const part of answer.fullStream) if (part.type === 'finish') assert.equal(used.length, 1)
  await meter.settled()

  assert.equal(used.length, 1)
  assert.deepEqual(pick(used[0]!), { inputTokens: 12, outputTokens: 5, usageSource: 'provider', outcome: 'completed' })
  assert.equal(used[0]!.text, 'Hello there')
  const { rows } = await pool.query('select * from billing.ai_call_logs')
  assert.equal(rows.length, 1)
  assert.equal(rows[0].id, used[0]!.callId)
  assert.equal(rows[0].event_id, `event of ${used[0]!.callId}`)
  assert.deepEqual(
    [rows[0].model, rows[0].feature, rows[0].user_id, rows[0].cached_tokens, rows[0].reasoning_tokens],
    ['gpt-5', 'chat', 'user_1', '2', '1'],
  )
  // 10 × 1.25 + 2 cached × 0.125 + 5 × 10 = 62.75 millionths of a dollar
  assert.equal(rows[0].provider_cost, '0.00006275')
  assert.ok(rows[0].first_token_ms <= rows[0].latency_ms)
})

test('a generated answer is counted and logged as well', async (t) => {
  const { pool, meter, used } = await world(t)
  await generateText({ model: meter(speaking(['Hello']), call), prompt: 'Hi' })
  await meter.settled()

  assert.deepEqual(pick(used[0]!), { inputTokens: 12, outputTokens: 5, usageSource: 'provider', outcome: 'completed' })
  assert.equal((await listAiCalls(pool)).rows[0]!.outcome, 'completed')
})

test('an answer stopped midway counts what was produced', async (t) => {
  const { pool, meter, used } = await world(t)
  const stop = new AbortController()
  const answer = streamText({
    model: meter(speaking(['one', ' two', ' three', PAUSE]), call),
    prompt: 'Hi',
    abortSignal: stop.signal,
    onChunk: ({ chunk }) => {
      if (chunk.type === 'text-delta' && chunk.text === ' three') stop.abort()
    },
  })
  await answer.consumeStream()
  await meter.settled()

  assert.equal(used.length, 1)
  // "one two three" is three tokens; "Hi" is one, and four for the message.
  assert.deepEqual(pick(used[0]!), { inputTokens: 5, outputTokens: 3, usageSource: 'estimated', outcome: 'stopped' })
  const { rows } = await listAiCalls(pool, { outcome: 'stopped' })
  assert.deepEqual([rows[0]!.outputTokens, rows[0]!.errorMessage], [3, null])
})

test('a connection that drops cancels the stream, and is counted', async (t) => {
  const { meter, used } = await world(t)
  const { stream } = await meter(speaking(['one', ' two', PAUSE]), call).doStream({ prompt: prompt('Hi') })
  const reader = stream.getReader()
  for (let parts = 0; parts < 4; parts += 1) await reader.read() // stream-start, text-start, two words
  await reader.cancel()
  await meter.settled()

  assert.deepEqual(pick(used[0]!), { inputTokens: 5, outputTokens: 2, usageSource: 'estimated', outcome: 'stopped' })
})

test('an abort is noticed even when nobody reads any more', async (t) => {
  const { meter, used } = await world(t)
  const stop = new AbortController()
  const { stream } = await meter(speaking(['one', PAUSE]), call).doStream({
    prompt: prompt('Hi'),
    abortSignal: stop.signal,
  })
  const reader = stream.getReader()
  for (let parts = 0; parts < 3; parts += 1) await reader.read()
  stop.abort()
  await meter.settled()

  assert.deepEqual(pick(used[0]!), { inputTokens: 5, outputTokens: 1, usageSource: 'estimated', outcome: 'stopped' })
  assert.equal(used.length, 1)
})

test('a provider that refuses costs nothing, and says why', async (t) => {
  const { pool, meter, used } = await world(t)
  const refusing = { ...speaking([]), doStream: () => Promise.reject(new Error('overloaded')) }
  await assert.rejects(async () => meter(refusing, call).doStream({ prompt: prompt('Hi') }), /overloaded/)
  await meter.settled()

  assert.deepEqual(pick(used[0]!), { inputTokens: 0, outputTokens: 0, usageSource: 'estimated', outcome: 'failed' })
  assert.equal((await listAiCalls(pool)).rows[0]!.errorMessage, 'overloaded')
})

test('a provider that breaks off midway is counted for what came', async (t) => {
  const { meter, used } = await world(t)
  const { stream } = await meter(speaking(['one', ' two', BREAK]), call).doStream({ prompt: prompt('Hi') })
  await assert.rejects(async () => {
    for await (const _ of stream);
  }, /connection reset/)
  await meter.settled()

  assert.deepEqual(pick(used[0]!), { inputTokens: 5, outputTokens: 2, usageSource: 'estimated', outcome: 'failed' })
  assert.equal(used[0]!.errorMessage, 'connection reset')
})

test('a log that cannot be written costs neither the answer nor the usage', async (t) => {
  const { pool, meter, used, errors } = await world(t)
  await pool.query('drop table billing.ai_call_logs')
  const { text } = await generateText({ model: meter(speaking(['Hello']), call), prompt: 'Hi' })
  await meter.settled()

  assert.equal(text, 'Hello')
  assert.equal(used.length, 1)
  assert.deepEqual(errors, ['an AI call could not be logged; its usage was'])
})

test('usage that cannot be recorded is kept with the log, and the answer arrives', async (t) => {
  const { pool, meter, errors } = await world(t, {
    onUsage: () => {
      throw new Error('journal is full')
    },
  })
  const { text } = await generateText({ model: meter(speaking(['Hello']), call), prompt: 'Hi' })
  await meter.settled()

  assert.equal(text, 'Hello')
  const { rows } = await listAiCalls(pool)
  assert.deepEqual([rows[0]!.usageError, rows[0]!.eventId, rows[0]!.inputTokens], ['journal is full', null, 12])
  assert.equal((await countAiCalls(pool)).unbilled, 1)
  assert.equal(errors.length, 1)
})

test('the feature hears what its own call took', async (t) => {
  const { meter } = await world(t)
  const heard: AiUsage[] = []
  const onSettled = (usage: AiUsage) => void heard.push(usage)
  await generateText({ model: meter(speaking(['Hello']), { ...call, onSettled }), prompt: 'Hi' })
  await meter.settled()

  assert.deepEqual([heard.length, heard[0]!.text, heard[0]!.customerId], [1, 'Hello', CUSTOMER])
})

test('the log is read newest first, by pages, by outcome and by search', async (t) => {
  const { pool, meter, tick } = await world(t)
  for (const feature of ['first', 'second', 'third', 'fourth', '100%']) {
    await generateText({ model: meter(speaking(['Hello']), { ...call, feature }), prompt: 'Hi' })
    await meter.settled()
    tick(60_000)
  }
  const features = (page: { rows: { feature: string | null }[] }) => page.rows.map((row) => row.feature)

  const one = await listAiCalls(pool, { limit: 2 })
  assert.deepEqual([features(one), one.previous], [['100%', 'fourth'], null])
  const two = await listAiCalls(pool, { limit: 2, cursor: one.next! })
  assert.deepEqual(features(two), ['third', 'second'])
  const three = await listAiCalls(pool, { limit: 2, cursor: two.next! })
  assert.deepEqual([features(three), three.next], [['first'], null])
  const back = await listAiCalls(pool, { limit: 2, cursor: two.previous! })
  assert.deepEqual([features(back), back.previous], [['100%', 'fourth'], null])

  assert.deepEqual(features(await listAiCalls(pool, { search: '0%' })), ['100%'])
  assert.deepEqual(features(await listAiCalls(pool, { search: 'FOUR' })), ['fourth'])
  assert.deepEqual(features(await listAiCalls(pool, { outcome: 'failed' })), [])
  assert.equal((await listAiCalls(pool, { cursor: 'older_nonsense' })).rows.length, 5)
})

test('cost by day adds up exactly, in UTC', async (t) => {
  const { pool, meter, tick } = await world(t)
  for (const model of [speaking(['Hello']), { ...speaking(['Hello']), modelId: 'unpriced' }]) {
    await generateText({ model: meter(model, call), prompt: 'Hi' })
    tick(12 * 60 * 60_000) // noon, then midnight: the next day
    await generateText({ model: meter(model, call), prompt: 'Hi' })
    await meter.settled()
    tick(-12 * 60 * 60_000)
  }
  const range = { start: new Date('2026-11-24T00:00:00Z'), end: new Date('2026-11-26T00:00:00Z') }
  const day = { calls: 2, inputTokens: 24, outputTokens: 10, providerCost: '0.00006275' }
  assert.deepEqual(await aiCostByDay(pool, range), [
    { date: '2026-11-24', ...day },
    { date: '2026-11-25', ...day },
  ])
  assert.equal((await aiCostByDay(pool, { ...range, end: new Date('2026-11-25T00:00:00Z') })).length, 1)
})

async function world(t: TestContext, options: Partial<MeterAiCallsOptions> = {}) {
  const pool = new pg.Pool({ connectionString: await testDatabase(t), max: 2 })
  t.after(() => pool.end())
  await migrate(pool)
  const used: AiUsage[] = []
  const errors: string[] = []
  let now = NOON.getTime()
  const meter = meterAiCalls({
    pool,
    onUsage: (usage) => {
      used.push(usage)
      return { id: `event of ${usage.callId}` }
    },
    clock: () => new Date(now),
    log: { info: () => {}, warn: () => {}, error: (_facts, message) => void errors.push(message) },
    ...options,
  })
  return {
    pool,
    meter,
    used,
    errors,
    tick: (ms: number) => {
      now += ms
    },
  }
}

function pick({ inputTokens, outputTokens, usageSource, outcome }: AiUsage) {
  return { inputTokens, outputTokens, usageSource, outcome }
}

const PAUSE = Symbol('never says another word')
const BREAK = Symbol('the connection breaks')

const USAGE: LanguageModelV4Usage = {
  inputTokens: { total: 12, noCache: 10, cacheRead: 2, cacheWrite: 0 },
  outputTokens: { total: 5, text: 4, reasoning: 1 },
}

/** A model that says these words, and charges 12 and 5 tokens for it. */
function speaking(words: (string | symbol)[]): LanguageModelV4 {
  return {
    specificationVersion: 'v4',
    provider: 'openai',
    modelId: 'gpt-5',
    supportedUrls: {},
    doGenerate: async () => ({
      content: [{ type: 'text', text: words.filter((word) => typeof word === 'string').join('') }],
      finishReason: { unified: 'stop', raw: 'stop' },
      usage: USAGE,
      warnings: [],
    }),
    doStream: async ({ abortSignal }) => ({
      stream: new ReadableStream<LanguageModelV4StreamPart>({
        async start(controller) {
          abortSignal?.addEventListener('abort', () => controller.error(abortSignal.reason))
          controller.enqueue({ type: 'stream-start', warnings: [] })
          controller.enqueue({ type: 'text-start', id: '1' })
          for (const word of words) {
            if (word === PAUSE) return
            if (typeof word === 'string') controller.enqueue({ type: 'text-delta', id: '1', delta: word })
            await new Promise(setImmediate) // so that a reader sees one word before the next comes
            if (word === BREAK) return controller.error(new Error('connection reset'))
          }
          controller.enqueue({ type: 'text-end', id: '1' })
          controller.enqueue({ type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: USAGE })
          controller.close()
        },
      }),
    }),
  }
}

function prompt(text: string) {
  return [{ role: 'user' as const, content: [{ type: 'text' as const, text }] }]
}
