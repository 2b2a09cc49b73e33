import { ADMIN, journeys } from './journey.ts'
import { recordUsage } from './recorded-usage.ts'
import { subscribe } from './steps.ts'

const journey = journeys()

journey('an event that Stripe refused shows why, is cleared, and is billed', async (stage) => {
  const page = await stage.visit({ as: ADMIN })
  await subscribe(page, '/app/org/acme', 'Essential')
  await recordUsage(stage.databaseUrl, 'acme', 12_345)
  const stripe = stage.stripe()
  const [meter] = (await stripe.billing.meters.list()).data
  await stripe.billing.meters.deactivate(meter!.id)

  await page.goto('/admin/meter-events')
  const event = page.getByRole('row', { name: /12,345/ })
  await event.getByText('Pending').waitFor()
  await page.getByRole('button', { name: 'Sync now' }).click()
  await event.getByText('Failed').waitFor()
  await event.getByRole('link').first().click()
  await page.getByRole('alert').getByText('No active meter found').waitFor()

  await stripe.billing.meters.reactivate(meter!.id)
  await page.getByRole('button', { name: 'Clear and retry' }).click()
  await page.getByText('1 report cleared').waitFor()
  await page.goto('/admin/meter-events')
  await event.getByText('Pending').waitFor()
  await page.getByRole('button', { name: 'Sync now' }).click()
  await event.getByText('Processed').waitFor()
})
