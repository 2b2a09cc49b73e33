import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breadcrumb, menuOf, payerPaths, type Viewer } from './navigation.ts'

const member: Viewer = {
  isAdmin: false,
  organization: { slug: 'acme', name: 'Acme' },
  billingSource: 'organization',
  subscribed: false,
  stripeLocalUrl: null,
  mailbox: false,
}
const labels = (viewer: Viewer) => menuOf(viewer).map(({ label, links }) => [label, links.map((link) => link.label)])

test('a member sees the organization’s pages and nothing of the operator’s', () => {
  assert.deepEqual(labels(member), [[null, ['Overview', 'AI Chat', 'Usage & billing', 'Members', 'Settings']]])
  assert.equal(menuOf(member)[0]?.links[1]?.to, '/app/org/acme/ai-chat')
})

test('an admin sees the operator’s pages; what development adds appears only there', () => {
  const admin = menuOf({ ...member, isAdmin: true }).at(-1)
  assert.equal(admin?.label, 'Admin')
  assert.deepEqual(
    admin?.links.filter(({ external }) => external).map(({ to }) => to),
    ['/admin/jobs'],
  )
  const developing = menuOf({ ...member, isAdmin: true, stripeLocalUrl: 'http://localhost:12111', mailbox: true }).at(
    -1,
  )
  assert.deepEqual(
    developing?.links.slice(-2).map(({ label }) => label),
    ['Mailbox', 'Local Stripe'],
  )
})

test('where users pay, chat and billing are the person’s, and the organization keeps the rest', () => {
  const viewer: Viewer = { ...member, billingSource: 'user' }
  assert.deepEqual(labels(viewer), [
    [null, ['AI Chat', 'Subscribe', 'Usage & billing']],
    ['Acme', ['Overview', 'Members', 'Settings']],
  ])
  assert.equal(menuOf({ ...viewer, subscribed: true })[0]?.links[1]?.label, 'Plans')
  assert.deepEqual(payerPaths(viewer), { billing: '/app/billing', subscribe: '/app/subscribe' })
})

test('outside an organization nobody pays, unless users do', () => {
  assert.equal(payerPaths({ ...member, organization: null }), null)
  assert.equal(payerPaths(member)?.billing, '/app/org/acme/settings/billing')
})

test('the breadcrumb names the steps of an address and links all but the last', () => {
  const cases: [pathname: string, shown: string[]][] = [
    ['/app/org/acme', ['Acme']],
    ['/app/org/acme/settings/billing', ['Acme', 'Settings', 'Usage & billing']],
    ['/app/org/acme/ai-chat/0197f2c4-aaaa', ['Acme', 'AI chat']],
    ['/app/org/acme/billing/switch/business', ['Acme', 'Switch', 'Business']],
    ['/app/org/acme/subscribe', ['Acme', 'Plans']],
    ['/app/users/two-factor-authentication', ['Account', 'Two-factor authentication']],
    ['/app/organizations/new', ['Organizations', 'New organization']],
    ['/admin', ['Admin']],
    ['/admin/meter-events/0197f2c4-1111-7222-8333-444455556666', ['Admin', 'Meter events', '0197f2c4…']],
  ]
  for (const [pathname, shown] of cases) {
    const crumbs = breadcrumb(pathname, 'Acme')
    assert.deepEqual(
      crumbs.map(({ label }) => label),
      shown,
    )
    if (!pathname.includes('ai-chat')) assert.equal(crumbs.at(-1)?.to, null)
  }
  assert.equal(breadcrumb('/app/org/acme/settings/billing', 'Acme')[1]?.to, '/app/org/acme/settings')
  assert.equal(breadcrumb('/app/users/profile', null)[0]?.to, null)
  assert.equal(breadcrumb('/app/org/acme/billing/switch/business', 'Acme')[1]?.to, null)
})
