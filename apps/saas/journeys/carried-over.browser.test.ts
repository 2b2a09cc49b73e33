import assert from 'node:assert/strict'
import { ADMIN, journeys } from './journey.ts'
import { recordUsage } from './recorded-usage.ts'
import { billingPage, moveClock, subscribe } from './steps.ts'

const journey = journeys()

journey('what is too little for a card is shown until a later invoice charges it', async (stage) => {
  const page = await stage.visit({ as: ADMIN })
  await subscribe(page, '/app/org/acme', 'Essential')
  await recordUsage(stage.databaseUrl, 'acme', 4_000) // four packages, 20 cents: no card is charged below 50
  await page.goto(billingPage('acme'))
  await page.getByText('If it stays below that, $0.20 moves to the invoice after').waitFor()

  await moveClock(stage.app.stripeUrl, 'period')
  await moveClock(stage.app.stripeUrl, 'hour')
  await moveClock(stage.app.stripeUrl, 'hour')
  await page.getByRole('cell', { name: '$0.20 carried over' }).waitFor()
  await page.getByRole('cell', { name: 'Not charged' }).waitFor()
  await page.getByRole('row', { name: 'Carried over from earlier invoices $0.20' }).waitFor()
  await page.getByRole('row', { name: 'Upcoming charges $0.20' }).waitFor()

  await page.goto('/app/org/acme/billing/cancel')
  await page.getByText('Nothing was used in this period, but $0.20 is carried over').waitFor()
  await page.getByRole('button', { name: 'Cancel at the period’s end' }).click()
  await page.getByText('no card is charged when the subscription ends').waitFor()
})

journey('the clock of the local Stripe is the only one: what is left is the same on every page', async ({ visit }) => {
  const page = await visit({ as: ADMIN })
  await page.goto(billingPage('acme'))
  const left = await page
    .getByText(/\d+ days left/)
    .first()
    .textContent()
  const days = /\d+ days left/.exec(left ?? '')?.[0] ?? ''
  assert.match(days, /^(2[789]|3[01]) days left$/) // a month, two hours ago
  await page.goto('/app/org/acme')
  await page.getByText(days, { exact: true }).waitFor()
})
