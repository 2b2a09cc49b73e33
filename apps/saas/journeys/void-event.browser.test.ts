import { ADMIN, journeys } from './journey.ts'
import { recordUsage } from './recorded-usage.ts'
import { billingPage, moveClock, stripeAgrees, subscribe } from './steps.ts'

const journey = journeys()

journey('an event voided after its invoice was paid is given back, and the customer sees it', async (stage) => {
  const page = await stage.visit({ as: ADMIN })
  await subscribe(page, '/app/org/acme', 'Essential')
  await recordUsage(stage.databaseUrl, 'acme', 20_000)
  await moveClock(stage.app.stripeUrl, 'period')
  await moveClock(stage.app.stripeUrl, 'hour')
  await moveClock(stage.app.stripeUrl, 'hour')
  await page.goto(billingPage('acme'))
  await page
    .getByRole('row', { name: /\$1\.00/ })
    .getByText('Paid')
    .waitFor()

  await page.goto('/admin/meter-events')
  await page
    .getByRole('row', { name: /20,000/ })
    .getByRole('link')
    .first()
    .click()
  await page.getByRole('button', { name: 'Void …' }).click()
  await page.getByLabel('Reason').fill('a test run of ours')
  await page.getByRole('button', { name: 'Void the event' }).click()
  await page.getByText('a test run of ours').first().waitFor()

  await page.goto(billingPage('acme'))
  await page.getByRole('row', { name: /taken back.*-\$1\.00/ }).waitFor()
  await page.goto('/admin/reports')
  await page.getByRole('button', { name: 'Sync now' }).click()
  await page.getByText('1 accepted').first().waitFor()
  await page.goto(billingPage('acme'))
  await page.getByRole('row', { name: /taken back.*-\$1\.00/ }).waitFor()
  await page.getByText('$1.00 of your credit would be left for later invoices').waitFor()
  await stripeAgrees(page)
  await page.goto('/admin/meter-events')
  await page
    .getByRole('row', { name: /20,000/ })
    .getByRole('link')
    .first()
    .click()
  await page.getByText('-20000 of its hour, worth -$1.00, on the next invoice').waitFor()
})
