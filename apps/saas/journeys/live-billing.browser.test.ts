import assert from 'node:assert/strict'
import { ADMIN, journeys } from './journey.ts'
import { recordUsage } from './recorded-usage.ts'
import { billingPage, subscribe } from './steps.ts'

const journey = journeys()
const STALE = /ERR_FAILED/

journey('usage recorded elsewhere shows on the open page within a second', async (stage) => {
  const page = await stage.visit({ as: ADMIN })
  await subscribe(page, '/app/org/acme', 'Essential')
  await page.goto(billingPage('acme'))
  await page.getByText('Nothing used yet in this period').first().waitFor()
  await page.getByText('Live', { exact: true }).waitFor()

  // Three times, and the best counts: a machine with other work to do is no fault of the page.
  const uses: [quantity: number, row: string][] = [
    [12_345, '12,345 tokens → 13 packages of 1,000 × $0.05 = $0.65'],
    [655, '13,000 tokens → 13 packages of 1,000 × $0.05 = $0.65'], // the thirteenth package is full
    [1, '13,001 tokens → 14 packages of 1,000 × $0.05 = $0.70'],
  ]
  const took: number[] = []
  for (const [quantity, row] of uses) {
    const [storedAt, shownAt] = await Promise.all([
      recordUsage(stage.databaseUrl, 'acme', quantity),
      page
        .getByRole('row', { name: row })
        .waitFor()
        .then(() => Date.now()),
    ])
    took.push(shownAt - storedAt)
  }
  assert.ok(Math.min(...took) < 1_000, `shown ${took.join(', ')} ms after it was stored`)
})

journey('a page that is cut off says how old it is, and catches up', async (stage) => {
  const page = await stage.visit({ as: ADMIN, expect: [STALE] })
  await page.route('**/billing/live', (route) => route.abort('failed'))
  await page.goto(billingPage('acme'))
  await page.getByText(/As of \d\d:\d\d:\d\d, reconnecting/).waitFor()

  await recordUsage(stage.databaseUrl, 'acme', 999)
  await page.unroute('**/billing/live')
  await page.getByText('Live', { exact: true }).waitFor()
  await page.getByRole('row', { name: '14,000 tokens → 14 packages of 1,000 × $0.05 = $0.70' }).waitFor()
})

journey('where a stream does not come through, the page asks again and again', async (stage) => {
  const page = await stage.visit({ as: ADMIN, expect: [/503/] })
  await page.route('**/billing/live', (route) =>
    route.request().headers().accept?.includes('text/event-stream')
      ? route.fulfill({ status: 503, body: 'No streams here.' })
      : route.continue(),
  )
  await page.goto(billingPage('acme'))
  await page.getByRole('row', { name: '14,000 tokens → 14 packages' }).waitFor()

  await recordUsage(stage.databaseUrl, 'acme', 1)
  await page.getByRole('row', { name: '14,001 tokens → 15 packages of 1,000 × $0.05 = $0.75' }).waitFor()
  await page.getByText('Live', { exact: true }).waitFor()
})
