import assert from 'node:assert/strict'
import { ADMIN, journeys, type Person } from './journey.ts'

const journey = journeys()
const MEMBER: Person = { name: 'Mia Member', email: 'mia@example.com', password: 'correct horse' }

journey('an administrator sees the queue of billing apart from the default one', async ({ visit }) => {
  const page = await visit({ as: ADMIN })
  await page.goto('/admin/jobs/queues')
  await page.getByRole('link', { name: 'billing', exact: true }).first().waitFor()
  await page.getByRole('link', { name: 'default', exact: true }).first().waitFor()
  // The dashboard is somebody else's pages: its scripts have run by now, and the link is still there.
  await page.getByRole('link', { name: 'Back to Meterkit' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
})

journey('for everybody else there is no such page', async ({ visit, register }) => {
  await register(MEMBER)
  const page = await visit({ as: MEMBER, expect: [/404/] })
  for (const path of ['/admin/jobs', '/admin/jobs/queues', '/admin/jobs.data', '/admin/meter-events']) {
    const response = await page.request.get(path, { maxRedirects: 0 })
    assert.equal(response.status(), 404, path)
  }
})
