import assert from 'node:assert/strict'
import pg from 'pg'
import { ADMIN, journeys, type Person } from './journey.ts'
import { recordUsage } from './recorded-usage.ts'
import { moveClock, subscribe } from './steps.ts'

const journey = journeys()
const MEMBER: Person = { name: 'Mia Member', email: 'mia@example.com', password: 'correct horse' }

/** As if Stripe had refused the report later and its webhook had been lost: here it is accepted, and there it never was. */
async function loseReport(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(`update billing.reports set status = 'accepted', accepted_at = created_at, first_attempt_at = created_at,
    last_attempt_at = created_at, error = null where status = 'failed'`)
  await client.end()
}

journey(
  'usage that Stripe lost is found, reported again after a question, and noted in the audit log',
  async (stage) => {
    const page = await stage.visit({ as: ADMIN, expect: [/400/] }) // a customer nobody knows
    await page.goto('/admin/reconciliation')
    await page.getByText('Nothing compared yet').waitFor()
    await subscribe(page, '/app/org/acme', 'Essential')
    await recordUsage(stage.databaseUrl, 'acme', 12_345)
    const stripe = stage.stripe()
    const [meter] = (await stripe.billing.meters.list()).data
    await stripe.billing.meters.deactivate(meter!.id)
    await page.goto('/admin/reports')
    await page.getByRole('button', { name: 'Sync now' }).click()
    await page.getByText('Stripe refused a part of the usage').waitFor()
    await loseReport(stage.databaseUrl)
    await stripe.billing.meters.reactivate(meter!.id)
    await moveClock(stage.app.stripeUrl, 'hour')

    await page.getByRole('link', { name: 'Reconciliation' }).click()
    await page.getByLabel('Customer').fill('nobody at all')
    await page.getByRole('button', { name: 'Compare' }).click()
    await page.getByText('No customer is called “nobody at all”').first().waitFor()
    await page.getByLabel('Customer').fill('Acme')
    await page.getByRole('button', { name: 'Compare' }).click()
    const difference = page.getByRole('row', { name: /-12,345/ })
    await difference.getByText('Missing at Stripe').waitFor()
    await difference.getByText('the webhook that says so never arrived').waitFor()

    await page.getByRole('button', { name: 'Report the missing usage' }).click()
    await page.getByRole('button', { name: 'Report it' }).click()
    await page.getByText('The usage of 1 report was queued again').waitFor()
    await page.getByText('1 created · 1 accepted').waitFor()
    await page.getByRole('button', { name: 'Report the missing usage' }).waitFor({ state: 'detached' })

    await page.getByRole('button', { name: 'Compare' }).click()
    await page.getByText('Stripe has counted everything it accepted').waitFor()
    await page.goto('/admin/audit')
    await page.getByText('usage.mend').waitFor()
  },
)

journey('the page exists for administrators alone', async ({ register, visit }) => {
  await register(MEMBER)
  const page = await visit({ as: MEMBER, expect: [/404/] })
  const answer = await page.goto('/admin/reconciliation')
  assert.equal(answer?.status(), 404)
})
