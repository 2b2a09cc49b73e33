import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Stripe } from 'stripe'
import { startStripeLocal } from 'stripe-local'
import { meterkit } from '../test/cli.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

const CONFIG = (unitAmount: number) => `
  import { defineBilling } from 'meterkit'
  export default defineBilling({
    meters: { ai_tokens: { displayName: 'AI tokens', unit: 'tokens' } },
    plans: { essential: { name: 'Essential', prices: [{ meter: 'ai_tokens', unitAmount: ${unitAmount}, perUnits: 1000 }] } },
  })`

/** A folder with a config, inside the repository so that it finds the packages. */
function project(t: TestContext, config: string): string {
  const folder = mkdtempSync(join(ROOT, 'node_modules', '.cli-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'billing.config.js'), config)
  return folder
}

test('provision: the difference, then the change, then nothing; a changed price takes the lookup key', async (t) => {
  const local = await startStripeLocal()
  t.after(() => local.close())
  const env = { STRIPE_SECRET: local.secretKey, STRIPE_URL: local.url }
  const stripe = new Stripe(local.secretKey, local.clientConfig)
  // a config is a module of JavaScript where the folder lies under node_modules
  const cheap = [
    project(t, CONFIG(5)),
    ['provision', '--config', 'billing.config.js', '--webhook-url', 'http://127.0.0.1:9/webhooks/stripe'],
  ] as const

  const dry = await meterkit(cheap[0], [...cheap[1], '--dry-run'], env)
  assert.match(dry.out, /\+ {2}meter +ai_tokens/)
  assert.match(dry.out, /dry run/)
  assert.equal((await stripe.products.list()).data.length, 0)

  const first = await meterkit(cheap[0], [...cheap[1]], env)
  assert.equal(first.code, 0, first.err)
  assert.match(first.out, /STRIPE_WEBHOOK_SECRET .*whsec_/)
  const [price] = (await stripe.prices.list()).data
  assert.deepEqual(
    [price!.unit_amount, price!.transform_quantity?.divide_by, price!.lookup_key],
    [5, 1000, 'essential_ai_tokens_month'],
  )

  const second = await meterkit(cheap[0], [...cheap[1], '--json'], env)
  assert.equal((JSON.parse(second.out) as { changed: boolean }).changed, false)

  const dearer = await meterkit(project(t, CONFIG(6)), ['provision', '-c', 'billing.config.js', '--json'], env)
  const steps = (JSON.parse(dearer.out) as { steps: { object: string; action: string }[] }).steps
  assert.deepEqual(
    steps.filter((step) => step.object === 'price').map((step) => step.action),
    ['replace'],
  )
  const old = await stripe.prices.retrieve(price!.id)
  assert.deepEqual([old.active, old.lookup_key], [true, null])
})

test('what is wrong is said in one line, and ends with 1', async (t) => {
  const folder = project(t, CONFIG(0))
  const cases: [args: string[], env: Record<string, string>, says: RegExp][] = [
    [['provision', '-c', 'nowhere.ts'], {}, /^meterkit: there is no nowhere\.ts here/],
    [
      ['provision', '-c', 'billing.config.js'],
      { STRIPE_SECRET: 'sk_test_1' },
      /plans\.essential\.prices\[0\]\.unitAmount \(0\) must be more than 0/,
    ],
  ]
  for (const [args, env, says] of cases) {
    const { code, err } = await meterkit(folder, args, env)
    assert.equal(code, 1)
    assert.match(err, says)
    assert.equal(err.trim().split('\n').length, 1)
  }
  const good = project(t, CONFIG(5))
  const live = await meterkit(good, ['provision', '-c', 'billing.config.js'], { STRIPE_SECRET: 'sk_live_1' })
  assert.match(live.err, /STRIPE_SECRET is a live key, but STRIPE_PRODUCTION_MODE is not true/)
  const none = await meterkit(good, ['provision', '-c', 'billing.config.js'], {})
  assert.match(none.err, /STRIPE_SECRET is not set/)
})

test('wrong usage ends with 2 and a sentence, help with 0', async (t) => {
  const folder = project(t, CONFIG(5))
  const cases: [args: string[], code: number, says: RegExp][] = [
    [['--help'], 0, /Exit codes: 0 all is well/],
    [['verfy'], 2, /unknown command 'verfy'/],
    [['events', 'void', 'e-1'], 2, /--reason/],
    [['events', 'import', 'nowhere.csv'], 1, /DATABASE_URL is not set, and no app runs here/],
  ]
  for (const [args, code, says] of cases) {
    const answer = await meterkit(folder, args, {})
    assert.equal(answer.code, code, answer.err)
    assert.match(answer.out + answer.err, says)
  }
})
