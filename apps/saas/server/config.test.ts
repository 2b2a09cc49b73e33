import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig, StartupError } from './config.ts'

/** The sentences with which this environment is refused; empty when it is accepted. */
function refusals(environment: Record<string, string>): string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    assert.ok(error instanceof StartupError, String(error))
    return error.message.split('\n')
  }
}

test('nothing needs to be configured in development', () => {
  const config = readConfig({})

  assert.equal(config.port, 4000)
  assert.equal(config.portIsExplicit, false)
  assert.equal(config.databaseUrl, null)
  assert.equal(config.stripeSecret, null)
  assert.equal(config.billingSource, 'organization')
  assert.equal(config.syncSchedule, '* * * * *')
  assert.equal(config.collect, true)
  assert.match(config.dataDirectory, /\/\.meterkit$/)
})

const production = {
  NODE_ENV: 'production',
  APP_URL: 'https://app.example.com/',
  BETTER_AUTH_SECRET: 'x'.repeat(32),
  STRIPE_SECRET: 'sk_live_abc',
  STRIPE_PRODUCTION_MODE: 'true',
  STRIPE_WEBHOOK_SECRET: 'whsec_new, whsec_old',
}

test('production syncs daily unless told otherwise, and knows several webhook secrets', () => {
  const config = readConfig(production)

  assert.equal(config.syncSchedule, '@daily')
  assert.equal(config.appUrl, 'https://app.example.com')
  assert.deepEqual(config.stripeWebhookSecrets, ['whsec_new', 'whsec_old'])
  assert.equal(readConfig({ ...production, SYNC_SCHEDULE: '@hourly' }).syncSchedule, '@hourly')
})

test('an empty value counts as absent', () => {
  assert.equal(readConfig({ DATABASE_URL: '', PORT: ' ', STRIPE_SECRET: '' }).port, 4000)
})

test('each malformed value is refused in one line that names variable, value and rule', () => {
  const cases: [environment: Record<string, string>, expected: RegExp][] = [
    [{ PORT: 'http' }, /^Meterkit did not start: PORT is "http"; it must be a whole number from 0 to 65535\. /],
    [{ PORT: '65536' }, /PORT is "65536"/],
    [{ APP_URL: 'app.example.com' }, /APP_URL is "app\.example\.com"/],
    [{ APP_URL: 'https://example.com/app' }, /APP_URL .* without a path/],
    [{ STRIPE_SECRET: 'pk_test_1', STRIPE_WEBHOOK_SECRET: 'whsec_1' }, /STRIPE_SECRET begins with "pk_…"/],
    [{ STRIPE_WEBHOOK_SECRET: 'whsec_1,abc' }, /STRIPE_WEBHOOK_SECRET holds something/],
    [{ STRIPE_PRODUCTION_MODE: 'yes' }, /STRIPE_PRODUCTION_MODE is "yes"; it must be true or false/],
    [{ BILLING_SOURCE: 'team' }, /BILLING_SOURCE is "team"; it must be organization or user/],
    [{ SYNC_SCHEDULE: 'every minute' }, /SYNC_SCHEDULE is "every minute"/],
    [{ SYNC_SCHEDULE: '* * * * * *' }, /SYNC_SCHEDULE/], // a field of seconds would be ignored
    [{ BETTER_AUTH_SECRET: 'short' }, /BETTER_AUTH_SECRET has 5 characters/],
    [{ SMTP_URL: 'mail.example.com' }, /SMTP_URL/],
    [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL is "loud"/],
    [{ METERKIT_COLLECT: '1' }, /METERKIT_COLLECT is "1"/],
    [{ TRUSTED_PROXIES: '-1' }, /TRUSTED_PROXIES is "-1"/],
    [{ NODE_ENV: 'prod' }, /NODE_ENV is "prod"; it must be production, development or test\./],
    [{ SYNC_SCHEDULE: 'hourly' }, /remove it to get every minute\.$/],
    [{ ...production, SYNC_SCHEDULE: 'hourly' }, /remove it to get @daily\.$/],
    [{ AI_MODEL: 'claude-sonnet-4-5', OPENAI_API_KEY: 'sk-1' }, /but ANTHROPIC_API_KEY is missing/],
    [{ AI_MODEL: 'openai/gpt-5' }, /but OPENAI_API_KEY is missing/],
    [{ AI_MODEL: 'mistral' }, /neither ANTHROPIC_API_KEY nor OPENAI_API_KEY/],
  ]
  for (const [environment, expected] of cases) {
    const lines = refusals(environment)
    assert.equal(lines.length, 1, JSON.stringify(environment))
    assert.match(lines[0] ?? '', expected)
  }
})

test('a model with the key of its provider is accepted, and so is a name that only the provider knows', () => {
  assert.deepEqual(refusals({ AI_MODEL: 'claude-sonnet-4-5', ANTHROPIC_API_KEY: 'sk-1' }), [])
  assert.deepEqual(refusals({ AI_MODEL: 'my-tuned-model', OPENAI_API_KEY: 'sk-1' }), [])
})

test('all problems are told at once', () => {
  assert.equal(refusals({ PORT: 'x', LOG_LEVEL: 'loud', BILLING_SOURCE: 'team' }).length, 3)
})

test('live and test keys never mix', () => {
  const webhooks = { STRIPE_WEBHOOK_SECRET: 'whsec_1' }

  assert.match(
    refusals({ ...webhooks, STRIPE_SECRET: 'sk_live_1' }).join(),
    /STRIPE_SECRET is a live key \(it begins with sk_live_\), but STRIPE_PRODUCTION_MODE is not true/,
  )
  assert.match(
    refusals({ ...webhooks, STRIPE_SECRET: 'sk_test_1', STRIPE_PRODUCTION_MODE: 'true' }).join(),
    /STRIPE_PRODUCTION_MODE is true, but STRIPE_SECRET is a test key \(it begins with sk_test_\)/,
  )
  assert.match(refusals({ STRIPE_PRODUCTION_MODE: 'true' }).join(), /STRIPE_SECRET is missing/)
  assert.deepEqual(refusals({ ...webhooks, STRIPE_SECRET: 'rk_test_1' }), [])
})

test('a key for Stripe itself needs the secret of its webhooks', () => {
  assert.match(refusals({ STRIPE_SECRET: 'sk_test_1' }).join(), /STRIPE_WEBHOOK_SECRET is missing/)
})

test('production names everything it lacks', () => {
  const lines = refusals({ NODE_ENV: 'production' })

  assert.deepEqual(
    lines.map((line) => /: (\w+) is missing/.exec(line)?.[1]),
    ['BETTER_AUTH_SECRET', 'APP_URL', 'STRIPE_SECRET'],
  )
})

test('the address of a database is checked and its password never repeated', () => {
  for (const url of ['mysql://root:hunter2@db/app', 'hunter2', 'postgresql://me:hunter2@db:port/app']) {
    const lines = refusals({ DATABASE_URL: url })
    assert.match(lines.join(), /DATABASE_URL is not an address/)
    assert.doesNotMatch(lines.join(), /hunter2/)
  }
  for (const url of [
    'postgres://me:hunter2@db:5432/app?sslmode=require',
    'postgresql:///app?host=/run/postgresql',
    'postgresql://postgres@/app?host=/tmp/pg',
  ])
    assert.deepEqual(refusals({ DATABASE_URL: url }), [], url)
})
