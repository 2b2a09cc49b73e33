import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { ADMIN, journeys, type Person } from './journey.ts'
import { billingPage, subscribe } from './steps.ts'

const journey = journeys()
const STRANGER: Person = { name: 'Sam Stranger', email: 'sam@elsewhere.example', password: 'correct horse' }
const MEMBER: Person = { name: 'Mia Member', email: 'mia@example.com', password: 'correct horse' }
const CHAT = '/app/org/acme/ai-chat'
const STREAM = '/app/org/acme/ai-chat-stream'

/** The answer to a question put to the chat's API by a program, with the visitor's cookies. */
async function askApi(page: Page): Promise<{ status: number; body: string }> {
  const response = await page.request.post(STREAM, {
    data: { messages: [{ id: '1', role: 'user', parts: [{ type: 'text', text: 'Hello' }] }] },
    headers: { accept: 'application/json' },
    maxRedirects: 0,
  })
  return { status: response.status(), body: await response.text() }
}

/** What the browser's own navigation to the chat would be told, without following it. */
async function chatData(page: Page): Promise<string> {
  const response = await page.request.get(`${CHAT}.data`, { maxRedirects: 0 })
  return `${response.status()} ${await response.text()}`
}

journey('without a subscription one is led to the plans, and told why', async ({ visit }) => {
  const page = await visit({ as: ADMIN })

  await page.goto(CHAT)
  await page.waitForURL('**/app/org/acme/subscribe?reason=no-subscription')
  await page.getByText('AI chat needs a subscription').waitFor()

  assert.match(await chatData(page), /subscribe\?reason=no-subscription/)
  const { status, body } = await askApi(page)
  assert.equal(status, 402)
  assert.match(body, /needs a subscription/)
})

journey('a checkout that was left has changed nothing, and a made-up one is refused', async ({ visit }) => {
  const page = await visit({ as: ADMIN })
  await page.goto('/app/org/acme/subscribe')
  await page.getByRole('button', { name: 'Choose Essential' }).click()
  await page.getByRole('link', { name: /Back to/ }).click()
  await page.getByText('The checkout was left').waitFor()

  await page.goto('/app/org/acme/subscribed?session_id=cs_test_made_up')
  await page.getByRole('heading', { name: 'This checkout is not yours' }).waitFor()
  await page.goto(billingPage('acme'))
  await page.getByText('No subscription yet').waitFor()
})

journey('a member of another organization finds nothing', async ({ visit, register }) => {
  await register(STRANGER, { name: 'Elsewhere', slug: 'elsewhere' })
  const page = await visit({ as: STRANGER, expect: [/404/] })

  for (const path of [CHAT, '/app/org/acme/subscribe', '/app/org/acme/settings/billing']) {
    const response = await page.goto(path)
    assert.equal(response?.status(), 404, path)
    await page.getByRole('heading', { name: 'There is no page here' }).waitFor()
  }
  assert.match(await chatData(page), /^404/)
  assert.equal((await askApi(page)).status, 404)
  const live = await page.request.get('/app/org/acme/billing/live', { headers: { accept: 'text/event-stream' } })
  assert.equal(live.status(), 404)
})

journey('who is signed out signs in first, and then arrives where they wanted to go', async ({ visit }) => {
  const page = await visit()

  assert.match(await chatData(page), /\/login\?next=/)
  assert.equal((await askApi(page)).status, 401)

  await page.goto('/app/org/acme/settings/billing')
  await page.waitForURL(/\/login\?next=/)
  await page.getByLabel('Email').fill(ADMIN.email)
  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL('**/app/org/acme/settings/billing')
})

journey('a subscription of one organization opens nothing in another', async ({ visit }) => {
  const member = await visit({ as: ADMIN })
  await subscribe(member, '/app/org/acme', 'Essential')
  await member.goto(CHAT)
  assert.equal(new URL(member.url()).pathname, CHAT)

  const stranger = await visit({ as: STRANGER, expect: [/404/] })
  assert.equal((await stranger.goto(CHAT))?.status(), 404)
  assert.equal((await askApi(stranger)).status, 404)
  await stranger.goto('/app/org/elsewhere/ai-chat')
  await stranger.waitForURL('**/app/org/elsewhere/subscribe?reason=no-subscription')
})

journey('a member sees the plans and whom to ask, and changes nothing', async ({ app, visit, register }) => {
  await register(MEMBER)
  const admin = await visit({ as: ADMIN })
  const member = await visit({ as: MEMBER, expect: [/403/] })
  const call = async (page: Page, path: string, data: object) => {
    const response = await page.request.post(`/api/auth/organization/${path}`, { data, headers: { origin: app.url } })
    assert.equal(response.status(), 200, await response.text())
    return response.json()
  }
  const [organization] = await (await admin.request.get('/api/auth/organization/list')).json()
  const { id } = await call(admin, 'invite-member', {
    email: MEMBER.email,
    role: 'member',
    organizationId: organization.id,
  })
  await call(member, 'accept-invitation', { invitationId: id })

  await member.goto('/app/org/acme/subscribe')
  await member.getByText('Only owners and admins of Acme can choose a plan').waitFor()
  assert.equal(await member.getByText(/You can switch or cancel/).count(), 0)
  await member.getByRole('main').getByRole('link', { name: ADMIN.email }).waitFor()
  assert.equal(await member.getByRole('link', { name: /Switch to/ }).count(), 0)

  await member.goto(billingPage('acme'))
  await member.getByText('Owners and admins of Acme can switch or cancel.').waitFor()
  for (const path of ['checkout/business', 'billing/switch/business', 'billing/cancel', 'billing/portal']) {
    const response = await member.request.post(`/app/org/acme/${path}`, { form: { when: 'now' }, maxRedirects: 0 })
    assert.equal(response.status(), 403, path)
  }
  await member.goto('/app/org/acme/billing/cancel')
  await member.getByText('Only owners and admins of Acme can change its billing').waitFor()
})
