import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { ADMIN, journeys } from './journey.ts'
import { recordUsage } from './recorded-usage.ts'
import { billingPage, subscribe } from './steps.ts'

const journey = journeys()
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PHONE = { width: 390, height: 844 }

const PAGES = [
  billingPage('acme'),
  '/app/org/acme/subscribe?reason=no-subscription',
  '/app/org/acme/billing/switch/business',
  '/app/org/acme/billing/cancel',
]

/** What axe finds wrong with the page, a line each. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    const { violations } = await axe.run()
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
  })
}

journey('Stripe’s portal is one click away, and leads back', async ({ app, visit }) => {
  const page = await visit({ as: ADMIN })
  await subscribe(page, '/app/org/acme', 'Essential')
  for (const button of ['Open customer portal', 'Update payment method']) {
    await page.goto(billingPage('acme'))
    await page.getByRole('button', { name: button }).click()
    await page.waitForURL(`${app.stripeUrl}/**`)
  }
  await page.getByRole('heading', { name: 'Update your card' }).waitFor()
})

journey('a new name of the organization reaches Stripe', async ({ stripe, visit }) => {
  const page = await visit({ as: ADMIN })
  await page.goto('/app/org/acme/settings')
  await page.getByLabel('Name', { exact: true }).fill('Acme – 日本')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  const customers = await stripe().customers.list()
  assert.deepEqual(
    customers.data.map(({ name, email }) => [name, email]),
    [['Acme – 日本', ADMIN.email]],
  )
})

journey('assistive technology gets along with every billing page, light and dark', async ({ databaseUrl, visit }) => {
  await recordUsage(databaseUrl, 'acme', 12_345)
  const page = await visit({ as: ADMIN })
  for (const path of PAGES) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.goto(path)
      await page.getByRole('heading').first().waitFor()
      assert.deepEqual(await faultsOf(page), [], `${path}, ${colorScheme}`)
    }
  }
})

journey('no billing page is wider than a phone', async ({ visit }) => {
  const page = await visit({ as: ADMIN, viewport: PHONE })
  for (const path of PAGES) {
    await page.goto(path)
    await page.getByRole('heading').first().waitFor()
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width, path)
  }
})
