import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { coverage, README, routesBesideTheSdk, withCoverage } from './coverage.ts'

test('the table in the README is what the code does', () => {
  const readme = readFileSync(README, 'utf8')

  assert.ok(readme === withCoverage(readme), 'run `node packages/stripe-local/schema/coverage.ts`')
})

test('no endpoint reads a parameter the SDK does not have', () => {
  const invented = coverage().flatMap(({ key, coverage: of }) => of?.invented.map((name) => `${key}: ${name}`) ?? [])

  assert.deepEqual(invented, [])
})

test('every endpoint is one of the SDK', () => {
  assert.deepEqual(routesBesideTheSdk(), [])
})
