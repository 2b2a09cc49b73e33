import type { Account } from './account.ts'
import { adjustSession, completeCheckout, termsOf } from './checkout/complete.ts'
import { recoverSession } from './checkout/lapse.ts'
import type { Api } from './http/api.ts'
import type { RequestLog } from './http/request-log.ts'
import { Inspection } from './inspection.ts'
import type { PagesContext } from './pages/context.ts'
import { answerAuthentication, authenticationOf } from './payments/authentication.ts'
import { beginCardSetup, replaceCard } from './payments/card-setup.ts'
import { isRecoverable, recoverPortalSession, usePortalSession } from './resources/portal-sessions.ts'

/** What the pages see of one account. */
export function accountPages(account: Account, api: Api, requests: RequestLog, secretKey: string): PagesContext {
  const inspection = new Inspection(account.db)
  const committed = <T>(work: () => T): T => {
    const result = work()
    account.deliveries.kick()
    account.timeline.arm()
    return result
  }
  return {
    baseUrl: () => account.baseUrl(),
    secretKey,
    now: () => new Date(account.timeline.nowMs()),
    readings: () => account.readings,
    api: async (method, path, params) => api.call(method, path, params),
    completeCheckout: async (sessionId, payer) => committed(() => completeCheckout(account, sessionId, payer)),
    checkoutTerms: (sessionId) => termsOf(account, sessionId),
    adjustCheckout: async (sessionId, chosen) =>
      committed(() => account.db.transaction(() => adjustSession(account, sessionId, chosen))),
    recoverCheckout: async (sessionId) =>
      committed(() => account.db.transaction(() => recoverSession(account, sessionId))),
    portalSession: async (sessionId) => {
      const session = usePortalSession(account, sessionId)
      return session && account.present(session)
    },
    portalRecovery: {
      offered: (sessionId) => isRecoverable(account, sessionId),
      use: (sessionId) => recoverPortalSession(account, sessionId),
    },
    replaceCard: async (customerId, card) =>
      committed(() => account.db.transaction(() => replaceCard(account, customerId, card))),
    beginCardSetup: async (customerId, card, returnUrl) =>
      committed(() => account.db.transaction(() => beginCardSetup(account, customerId, card, returnUrl))),
    authentication: (intentId, secret) => authenticationOf(account, intentId, secret),
    answerAuthentication: (intentId, secret, passed) =>
      committed(() => account.db.transaction(() => answerAuthentication(account, intentId, secret, passed))),
    dashboard: {
      deliveries: async (page) => account.deliveries.list(page),
      resend: (deliveryId) => account.deliveries.resend(deliveryId),
      advance: (to) => account.timeline.advance(to.getTime()),
      upcoming: (limit, kind) => inspection.upcoming(limit, kind),
      faults: { read: () => account.faults.read(), write: (settings) => account.faults.write(settings) },
      requests: (options) => requests.list(options),
      request: (id) => requests.find(id),
      findCustomers: (words, limit) => inspection.findCustomers(words, limit),
      meterEvents: (options) => inspection.meterEvents(options),
      meterUsers: (meterId, options) => inspection.meterUsers(meterId, options),
    },
  }
}
