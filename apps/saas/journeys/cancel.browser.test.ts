import assert from 'node:assert/strict'
import { ADMIN, journeys } from './journey.ts'
import { recordUsage } from './recorded-usage.ts'
import { billingPage, subscribe } from './steps.ts'

const journey = journeys()

journey('a cancellation at the period’s end can be taken back', async (stage) => {
  const page = await stage.visit({ as: ADMIN })
  await subscribe(page, '/app/org/acme', 'Essential')
  await recordUsage(stage.databaseUrl, 'acme', 12_345)

  await page.goto(billingPage('acme'))
  await page.getByRole('link', { name: 'Cancel subscription' }).click()
  await page.getByText('The last invoice is written then: $0.65 so far').waitFor()
  await page.getByRole('button', { name: 'Cancel at the period’s end' }).click()
  await page.getByText('Everything works until then').waitFor()
  await page.getByText('Ends soon').waitFor()

  await page.goto('/app/org/acme/ai-chat')
  assert.equal(new URL(page.url()).pathname, '/app/org/acme/ai-chat')

  await page.goto(billingPage('acme'))
  await page.getByRole('button', { name: 'Keep the subscription' }).click()
  await page.getByText('The subscription goes on').waitFor()
  await page.getByRole('link', { name: 'Cancel subscription' }).waitFor()
})

journey('cancelling now bills the last usage and closes the chat', async ({ visit }) => {
  const page = await visit({ as: ADMIN })
  await page.goto('/app/org/acme/billing/cancel')
  await page.getByText('12,345 tokens used in this period are billed today: $0.65.').waitFor()
  await page.getByRole('button', { name: 'Cancel now…' }).click()
  const dialog = page.getByRole('dialog', { name: 'End Essential now?' })
  await dialog.getByRole('button', { name: 'Cancel now' }).click()

  await page.getByText('The subscription has ended').waitFor()
  await page.getByRole('row', { name: /\$0\.65/ }).waitFor()

  await page.goto('/app/org/acme/ai-chat')
  await page.waitForURL('**/subscribe?reason=no-subscription')
})
