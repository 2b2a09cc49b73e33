import assert from 'node:assert/strict'
import { ADMIN, journeys } from './journey.ts'
import { recordUsage } from './recorded-usage.ts'
import { billingPage, subscribe } from './steps.ts'

const journey = journeys()

journey('switching shows its effect in numbers first, and bills both parts at their price', async (stage) => {
  const page = await stage.visit({ as: ADMIN })
  await subscribe(page, '/app/org/acme', 'Essential')
  await recordUsage(stage.databaseUrl, 'acme', 12_345)

  await page.goto(billingPage('acme'))
  await page.getByRole('link', { name: 'Switch to Business' }).click()
  await page.getByRole('heading', { name: 'Switch to Business' }).waitFor()
  await page.getByRole('row', { name: '12,345 tokens → 13 packages of 1,000 × $0.05 = $0.65' }).waitFor()
  await page.getByRole('row', { name: 'So far $0.65' }).waitFor()
  await page.getByText('12,345 tokens not yet with Stripe').waitFor()

  await page.getByRole('button', { name: 'Switch to Business' }).click()
  await page.getByText('You are on Business now').waitFor()

  await recordUsage(stage.databaseUrl, 'acme', 20_000)
  // 13 × $0.05 and, since the switch, 2 × $0.50
  await page.getByRole('row', { name: '20,000 tokens → 2 packages of 15,000 × $0.50 = $1.00' }).waitFor()
  await page.getByRole('row', { name: '12,345 tokens → 13 packages of 1,000 × $0.05 = $0.65' }).waitFor()
  await page.getByRole('row', { name: 'Upcoming charges $1.65' }).waitFor()
})

journey('the current plan is marked, and cannot be switched to', async ({ visit }) => {
  const page = await visit({ as: ADMIN })
  await page.goto('/app/org/acme/subscribe')
  const business = page.getByRole('region', { name: 'Business' })
  await business.getByText('Current plan').waitFor()
  assert.equal(await business.getByRole('link', { name: /Switch/ }).count(), 0)
  await page.getByRole('link', { name: 'Switch to Essential' }).waitFor()

  await page.goto('/app/org/acme/billing/switch/business')
  await page.getByText('This is your plan already').waitFor()
})

journey('without JavaScript a plan is switched all the same', async ({ visit }) => {
  const page = await visit({ as: ADMIN, javaScript: false })
  await page.goto('/app/org/acme/subscribe')
  await page.getByRole('link', { name: 'Switch to Enterprise' }).click()
  await page.getByRole('button', { name: 'Switch to Enterprise' }).click()
  await page.getByText('You are on Enterprise now').waitFor()
})

journey('who switched what stands in the audit log', async ({ visit }) => {
  const page = await visit({ as: ADMIN })
  await page.goto('/admin/audit?search=subscription.switch')
  const entries = page.getByRole('row', { name: new RegExp(`${ADMIN.email}.*subscription.switch`) })
  await entries.first().waitFor()
  assert.equal(await entries.count(), 2)
})
