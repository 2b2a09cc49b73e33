import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ADMIN, journeys } from './journey.ts'
import { ask, billingPage, payOnCheckout, stripeAgrees } from './steps.ts'

const journey = journeys()

journey('from the first sign-in to the first billed token, and there again after a restart', async (stage) => {
  const page = await stage.visit()

  // 1. signs in
  await page.goto('/login')
  await page.getByLabel('Email').fill(ADMIN.email)
  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL('**/app/**')

  // 2. finds the organization, compares the plans, pays
  await page.goto('/app/organizations')
  await page.getByRole('main').getByRole('link', { name: 'Acme' }).click()
  await page.getByRole('link', { name: 'Subscribe' }).first().click()
  for (const [plan, amount, per] of [
    ['Essential', '$0.05', 'per 1,000 tokens'],
    ['Business', '$0.50', 'per 15,000 tokens'],
    ['Enterprise', '$5.00', 'per 200,000 tokens'],
  ] as const) {
    const panel = page.getByRole('region', { name: plan })
    await panel.getByText(amount, { exact: true }).waitFor()
    await panel.getByText(per, { exact: true }).waitFor()
  }
  assert.equal(await page.getByText(/yearly/i).count(), 0, 'no month/year toggle')
  await page.getByRole('button', { name: 'Choose Essential' }).click()
  await payOnCheckout(page)
  await page.getByRole('heading', { name: 'You’re on Essential' }).waitFor()
  const header = page.getByRole('banner')
  await header.getByText('0 tokens').waitFor()
  assert.equal(await header.getByRole('link', { name: 'Choose a plan' }).count(), 0, 'the frame knows of it as well')

  // 3. asks a question and sees its tokens
  await page.getByRole('navigation').getByRole('link', { name: 'AI chat' }).click()
  await page.waitForURL('**/app/org/acme/ai-chat')
  const tokens = await ask(page, 'How are 12,345 tokens priced?')
  const recipe = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  assert.match(
    recipe,
    new RegExp(`\\(\`${tokens} tokens → 1 package of 1,000 × \\$0\\.05\`\\)`),
    'the README tells another number',
  )

  // 4. sees them on the billing page, with the arithmetic
  await page.goto(billingPage('acme'))
  const packages = Math.ceil(tokens / 1000)
  const cost = `$${((packages * 5) / 100).toFixed(2)}`
  const count = tokens.toLocaleString('en-US')
  const noun = packages === 1 ? 'package' : 'packages'
  await page.getByRole('row', { name: `${count} tokens → ${packages} ${noun} of 1,000 × $0.05 = ${cost}` }).waitFor()
  await page
    .getByText('not yet reported')
    .or(page.getByText('No answer'))
    .or(page.getByText('Difference'))
    .first()
    .waitFor()

  // 5. the event is pending, is synced by hand, is processed; Stripe agrees
  await page.goto('/admin/meter-events')
  const event = page.getByRole('row', { name: new RegExp(count) })
  await event.getByText('Pending').waitFor()
  await page.getByRole('button', { name: 'Sync now' }).click()
  await event.getByText('Processed').waitFor()
  await page.goto(billingPage('acme'))
  await stripeAgrees(page)

  // 8. everything is still there after a restart
  await stage.restart()
  await page.goto(billingPage('acme'))
  await page.getByRole('row', { name: `Upcoming charges ${cost}` }).waitFor()
  await stripeAgrees(page)
  await page.goto('/app/org/acme/ai-chat')
  await page
    .getByRole('link', { name: /How are 12,345 tokens priced/ })
    .first()
    .waitFor()
})
