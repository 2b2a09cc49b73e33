import assert from 'node:assert/strict'
import { ADMIN, journeys } from './journey.ts'
import { ask, subscribe } from './steps.ts'

const journey = journeys({ BILLING_SOURCE: 'user' })

journey('where users pay, one subscribes, asks and is billed oneself', async ({ stripe, visit }) => {
  const page = await visit({ as: ADMIN })
  await page.goto('/app/ai-chat')
  await page.waitForURL('**/app/subscribe?reason=no-subscription')

  await subscribe(page, '/app', 'Business')
  await page.getByRole('navigation').getByRole('link', { name: 'Plans' }).waitFor()
  await page.getByRole('main').getByRole('link', { name: 'Open AI chat' }).click()
  await page.waitForURL('**/app/ai-chat')
  const tokens = await ask(page, 'How is usage counted?')

  await page.goto('/app/billing')
  const count = tokens.toLocaleString('en-US')
  await page.getByRole('row', { name: `${count} tokens → 1 package of 15,000 × $0.50 = $0.50` }).waitFor()

  await page.goto('/app/users/profile')
  await page.getByLabel('Name', { exact: true }).fill('Ada Łovelace')
  await page.getByRole('button', { name: 'Save name' }).click()
  await page.getByText('Your name is saved.').waitFor()
  const customers = await stripe().customers.list()
  assert.deepEqual(
    customers.data.map(({ name, email }) => [name, email]),
    [['Ada Łovelace', ADMIN.email]],
  )
})

journey('where users pay, the pages of an organization’s billing do not exist', async ({ visit }) => {
  const page = await visit({ as: ADMIN })
  for (const path of ['subscribe', 'subscribe.data', 'ai-chat', 'billing/live', 'settings/billing']) {
    const response = await page.request.get(`/app/org/acme/${path}`, { maxRedirects: 0 })
    assert.equal(response.status(), 404, path)
  }
})
