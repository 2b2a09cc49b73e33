import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { testDatabase } from 'local-postgres/testing'
import pg from 'pg'
import {
  askQuestion,
  deleteConversation,
  findConversation,
  keepAnswer,
  listConversations,
  messagesOf,
  type Reader,
  renameConversation,
} from './conversations.ts'

const CHAT = '0197f2c4-0000-4000-8000-000000000001'
const CALL = '0197f2c4-0000-7000-8000-000000000009'
const NOON = new Date('2026-11-24T12:00:00Z')

const facts = {
  model: 'demo model',
  inputTokens: 312,
  outputTokens: 587,
  outcome: 'completed' as const,
  cost: '5',
  currency: 'usd',
}

test('a question begins a conversation and names it; its answer is kept with what it took', async (t) => {
  const { pool, ada } = await world(t)
  assert.ok(await askQuestion(pool, ada, { conversationId: CHAT, id: 'q1', text: 'How?\n\nAnd why?', at: NOON }))
  await keepAnswer(pool, { ...facts, conversationId: CHAT, id: 'a1', callId: CALL, text: 'So.', at: NOON })

  assert.deepEqual(
    (await listConversations(pool, ada)).map(({ id, title }) => [id, title]),
    [[CHAT, 'How? And why?']],
  )
  assert.deepEqual(await messagesOf(pool, CHAT), [
    { id: 'q1', role: 'user', text: 'How?\n\nAnd why?', facts: null },
    { id: 'a1', role: 'assistant', text: 'So.', facts },
  ])
})

test('a conversation is one person’s at one payer: nobody else finds, writes, renames or deletes it', async (t) => {
  const { pool, ada, bob } = await world(t)
  await askQuestion(pool, ada, { conversationId: CHAT, id: 'q1', text: 'Secret?', at: NOON })

  for (const [who, other] of [
    ['another member', { ...bob, sourceId: ada.sourceId }],
    ['the same person for another organization', { ...ada, sourceId: 'org_other' }],
    ['the same person as a payer', { ...ada, source: 'user' as const }],
  ] as const) {
    assert.deepEqual(await listConversations(pool, other), [], who)
    assert.equal(await findConversation(pool, other, CHAT), null, who)
    assert.equal(await askQuestion(pool, other, { conversationId: CHAT, id: 'q2', text: 'Mine', at: NOON }), false, who)
    assert.equal(await renameConversation(pool, other, CHAT, 'Mine'), false, who)
    assert.equal(await deleteConversation(pool, other, CHAT), false, who)
  }
  assert.equal((await messagesOf(pool, CHAT)).length, 1)
})

test('a question that is asked once more loses the answers behind it, and is not doubled', async (t) => {
  const { pool, ada } = await world(t)
  await askQuestion(pool, ada, { conversationId: CHAT, id: 'q1', text: 'How?', at: NOON })
  await keepAnswer(pool, { ...facts, conversationId: CHAT, id: 'a1', callId: CALL, text: 'S…', at: NOON })
  await askQuestion(pool, ada, { conversationId: CHAT, id: 'q1', text: 'How?', at: NOON })

  assert.deepEqual(
    (await messagesOf(pool, CHAT)).map(({ id }) => id),
    ['q1'],
  )
})

test('an answer whose conversation was deleted meanwhile is dropped', async (t) => {
  const { pool, ada } = await world(t)
  await askQuestion(pool, ada, { conversationId: CHAT, id: 'q1', text: 'How?', at: NOON })
  assert.ok(await deleteConversation(pool, ada, CHAT))
  await keepAnswer(pool, { ...facts, conversationId: CHAT, id: 'a1', callId: CALL, text: 'So.', at: NOON })

  assert.deepEqual(await messagesOf(pool, CHAT), [])
})

test('titles are one line of at most 60 characters; ids from an address may be anything', async (t) => {
  const { pool, ada } = await world(t)
  await askQuestion(pool, ada, { conversationId: CHAT, id: 'q1', text: 'word '.repeat(100), at: NOON })
  const title = async () => (await findConversation(pool, ada, CHAT))?.title
  assert.equal(await title(), `${'word '.repeat(12).trim()}…`)
  await renameConversation(pool, ada, CHAT, '  Prices  ')
  assert.equal(await title(), 'Prices')

  assert.equal(await findConversation(pool, ada, "x'; drop table app.messages"), null)
  assert.equal(await deleteConversation(pool, ada, 'undefined'), false)
})

async function world(t: TestContext) {
  const pool = new pg.Pool({ connectionString: await testDatabase(t), max: 2 })
  t.after(() => pool.end())
  await pool.query('create schema app; create schema auth; create table auth."user" (id uuid primary key)')
  await pool.query(readFileSync(new URL('./migrations/0002_chat.sql', import.meta.url), 'utf8'))
  const reader = async (id: string): Promise<Reader> => {
    await pool.query('insert into auth."user" (id) values ($1)', [id])
    const user = {
      id,
      name: 'Somebody',
      email: 'somebody@example.com',
      emailVerified: true,
      role: 'user' as const,
      twoFactorEnabled: false,
      image: null,
    }
    return { source: 'organization', sourceId: 'org_acme', user }
  }
  return {
    pool,
    ada: await reader('0197f2c4-0000-4000-8000-00000000000a'),
    bob: await reader('0197f2c4-0000-4000-8000-00000000000b'),
  }
}
