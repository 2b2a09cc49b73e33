import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { FILES, generate } from './generate.ts'

test('the generated files are those of the SDK that is installed', () => {
  const { requests, answers } = generate()

  const advice = 'run `node packages/stripe-local/schema/generate.ts`'
  assert.ok(requests === readFileSync(FILES.requests, 'utf8'), `src/schema/requests.json is out of date: ${advice}`)
  assert.ok(answers === readFileSync(FILES.answers, 'utf8'), `conformance/answers.json is out of date: ${advice}`)
})
