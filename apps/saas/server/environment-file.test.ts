import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slipsIn } from './environment-file.ts'

test('a name beside one of ours is told with the one that was meant', () => {
  const cases: [name: string, meant: string | null][] = [
    ['STRIPE_SECRT', 'STRIPE_SECRET'],
    ['STRIPE_SECRET_KEY', 'STRIPE_SECRET'],
    ['stripe_secret', 'STRIPE_SECRET'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['PROT', null], // two replaced letters are too many in so short a name
    ['STRIPE_WEBHOOK_SECRET', null],
    ['MY_OWN_THING', null],
  ]
  for (const [name, meant] of cases) {
    const expected = meant ? [`.env sets ${name}, which nothing reads; did you mean ${meant}?`] : []
    assert.deepEqual(slipsIn(`${name}=hunter2`), expected)
  }
})

test('a line that assigns nothing is named by its number, and its text, which may be a secret, is not told', () => {
  const [told, ...others] = slipsIn(
    '# ours\n\nexport PORT=4000\nMAIL_FROM="Two\nlines" # so\n  sk_test_hunter2\nLOG_LEVEL =info\n',
  )
  assert.match(told ?? '', /^Line 6 of \.env assigns nothing/)
  assert.doesNotMatch(told ?? '', /hunter2/)
  assert.deepEqual(others, [])
})
