import assert from 'node:assert/strict'
import { ADMIN, journeys } from './journey.ts'
import { recordUsage } from './recorded-usage.ts'
import { billingPage, moveClock, payOnCheckout } from './steps.ts'

const journey = journeys()

/** One of Stripe's test cards: it can be saved, and every charge of it fails. */
const DECLINED_LATER = '4000 0000 0000 0341'

journey('whoever is past due is told what is open, and pays it one click away', async (stage) => {
  const page = await stage.visit({ as: ADMIN })
  await page.goto('/app/org/acme/subscribe')
  await page.getByRole('button', { name: 'Choose Essential' }).click()
  await payOnCheckout(page, DECLINED_LATER)
  await page.getByRole('heading', { name: 'You’re on Essential' }).waitFor()
  await recordUsage(stage.databaseUrl, 'acme', 101_500) // 102 packages of 5 cents

  await moveClock(stage.app.stripeUrl, 'period')
  await moveClock(stage.app.stripeUrl, 'hour')
  await moveClock(stage.app.stripeUrl, 'hour')
  await page.goto(billingPage('acme'))
  await page.getByText('The last payment did not go through').waitFor()
  await page.getByText('at times of its own that we do not know').waitFor()
  await page.getByRole('link', { name: 'Pay $5.10 now' }).click()
  await page.waitForURL(`${new URL(stage.app.stripeUrl).origin}/**`)
  assert.match((await page.locator('body').textContent()) ?? '', /\$5\.10/)
})
