import { index, layout, prefix, type RouteConfig, route } from '@react-router/dev/routes'

/**
 * The pages of whoever pays, once for a user and once for an organization. Which of the two is reachable
 * follows the setting `BILLING_SOURCE`; the other answers 404 (`server/payer.ts`).
 */
const payerPages = (owner: string) => [
  route('subscribe', 'billing/subscribe.tsx', { id: `${owner}/subscribe` }),
  route('checkout/:plan', 'billing/checkout.ts', { id: `${owner}/checkout` }),
  route('subscribed', 'billing/subscribed.tsx', { id: `${owner}/subscribed` }),
  route('ai-chat/:conversationId?', 'chat/ai-chat.tsx', { id: `${owner}/ai-chat` }),
  route('ai-chat-stream', 'chat/stream.ts', { id: `${owner}/ai-chat-stream` }),
  route('billing/live', 'billing/live.ts', { id: `${owner}/billing-live` }),
  route('billing/portal', 'billing/portal.ts', { id: `${owner}/billing-portal` }),
  route('billing/switch/:plan', 'billing/switch-plan.tsx', { id: `${owner}/switch-plan` }),
  route('billing/cancel', 'billing/cancel.tsx', { id: `${owner}/cancel` }),
]

/**
 * The whole site, except what the server answers itself: /api/auth, /webhooks/stripe, /admin/jobs, /healthz, /readyz and
 * /metrics (server/http.ts).
 */
export default [
  index('landing/landing.tsx'),

  layout('auth/layout.tsx', [
    route('login', 'auth/login.tsx'),
    route('register', 'auth/register.tsx'),
    route('forgot-password', 'auth/forgot-password.tsx'),
    route('reset-password', 'auth/reset-password.tsx'),
    route('two-factor', 'auth/two-factor.tsx'),
    route('invitations/:invitationId', 'organizations/invitation.tsx'),
  ]),
  route('logout', 'auth/logout.ts'),
  route('theme', 'frame/theme.ts'),
  route('palette', 'frame/palette.ts'),

  route('app', 'frame/app-layout.tsx', [
    index('organizations/home.ts'),
    route('organizations', 'organizations/list.tsx'),
    route('organizations/new', 'organizations/new.tsx'),
    ...prefix('users', [
      route('profile', 'account/profile.tsx'),
      route('two-factor-authentication', 'account/two-factor-authentication.tsx'),
      route('sessions', 'account/sessions.tsx'),
    ]),
    route('billing', 'billing/billing.tsx', { id: 'user/billing' }),
    ...payerPages('user'),
    ...prefix('org/:slug', [
      index('organizations/overview.tsx'),
      ...payerPages('organization'),
      route('settings', 'organizations/settings-layout.tsx', [
        index('organizations/general.tsx'),
        route('members', 'organizations/members.tsx'),
        route('billing', 'billing/billing.tsx', { id: 'organization/billing' }),
      ]),
    ]),
  ]),

  route('admin', 'frame/admin-layout.tsx', [
    index('admin/overview.tsx'),
    route('meter-events', 'admin/meter-events.tsx'),
    route('meter-events/:eventId', 'admin/meter-event.tsx'),
    route('reports', 'admin/reports.tsx'),
    route('reconciliation', 'admin/reconciliation.tsx'),
    route('webhooks', 'admin/webhooks.tsx'),
    route('webhooks/:webhookId', 'admin/webhook.tsx'),
    route('ai-calls', 'admin/ai-calls.tsx'),
    route('customers', 'admin/customers.tsx'),
    route('users', 'admin/users.tsx'),
    route('organizations', 'admin/organizations.tsx'),
    route('audit', 'admin/audit.tsx'),
    route('mailbox', 'admin/mailbox.tsx'),
  ]),

  route('*', 'frame/not-found.tsx'),
] satisfies RouteConfig
