import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { run, test } from 'node:test'
import { report } from './test-report.mjs'

const IMPORT = "import { test } from 'node:test'\n"

test('passed, failed and skipped tests are added up, and what failed is printed under its file', async (t) => {
  const { total, printed } = await reportOn(t, {
    'mixed.mjs': `${IMPORT}
      test('good', () => {})
      test('later', { skip: true }, () => {})
      test('outer', async (t) => {
        await t.test('inner', () => { throw new Error('the reason') })
      })`,
  })

  assert.deepEqual(total, { passed: 1, failed: 1, skipped: 1 }) // outer failed through inner alone
  assert.match(printed, /✗ mixed\.mjs \(3, .*\n.*outer > inner\n.*the reason/s)
})

test('tests declared through a shared module belong to the files that called it', async (t) => {
  const { total, printed } = await reportOn(
    t,
    {
      'a.mjs': "import { declare } from './shared.js'\ndeclare('of a', true)",
      'b.mjs': "import { declare } from './shared.js'\ndeclare('of b', false)",
    },
    {
      'shared.js': `${IMPORT} export const declare = (name, bad) => test(name, () => { if (bad) throw new Error('why') })`,
    },
  )

  assert.deepEqual(total, { passed: 1, failed: 1, skipped: 0 })
  assert.match(printed, /✗ a\.mjs \(1, .*of a\n.*why.*✓ b\.mjs \(1, /s)
})

test('a file that dies, or in which no test runs, has failed', async (t) => {
  const { total, printed } = await reportOn(t, {
    'dies.mjs': `${IMPORT} test('ends it', () => process.kill(process.pid, 'SIGKILL'))`,
    'empty.mjs': 'export {}',
    'throws.mjs': `${IMPORT} test('fine', () => {})\nthrow new Error('at the top')`,
  })

  assert.deepEqual(total, { passed: 0, failed: 3, skipped: 0 })
  assert.match(printed, /✗ dies\.mjs .*ended by SIGKILL/s)
  assert.match(printed, /✗ empty\.mjs .*no test ran in it/s)
  assert.match(printed, /✗ throws\.mjs .*what it printed:.*at the top/s)
})

test('a hook that fails fails its tests, each under its name', async (t) => {
  const { total, printed } = await reportOn(t, {
    'hook.mjs': `import { before, test } from 'node:test'
      before(() => { throw new Error('no database') })
      test('one', () => {})
      test('two', () => {})`,
  })

  assert.equal(total.passed, 0)
  assert.equal(total.failed, 2)
  assert.match(printed, /✗ one\n.*no database.*✗ two\n.*no database/s)
})

async function reportOn(t, tests, modules = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'test-report-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, source] of Object.entries({ ...tests, ...modules })) writeFileSync(path.join(folder, name), source)
  // A runner within a runner would report to the outer one.
  const context = process.env.NODE_TEST_CONTEXT
  delete process.env.NODE_TEST_CONTEXT
  t.after(() => {
    if (context !== undefined) process.env.NODE_TEST_CONTEXT = context
  })
  const lines = []
  const files = Object.keys(tests).map((name) => path.join(folder, name))
  const total = await report(run({ files, concurrency: 2 }), {
    nameOf: (file) => path.relative(folder, file),
    say: (line) => lines.push(line),
  })
  return { total, printed: lines.join('\n') }
}
