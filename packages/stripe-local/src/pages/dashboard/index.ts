import { Hono } from 'hono'
import type { PagesContext } from '../context.ts'
import { clockPages } from './clock.ts'
import { customerPages } from './customers.ts'
import { deliveryPages } from './deliveries.ts'
import { eventPages } from './events.ts'
import { faultPages } from './faults.ts'
import { invoiceListPages } from './invoices.ts'
import { meterEventPages } from './meter-events.ts'
import { meterPages } from './meters.ts'
import { overviewPages } from './overview.ts'
import { paymentPages } from './payments.ts'
import { productPages } from './products.ts'
import { readingPages } from './readings.ts'
import { requestPages } from './requests.ts'
import { subscriptionPages } from './subscriptions.ts'

/** What the owner of the local Stripe sees: `/` and everything below `/dashboard`. */
export function dashboardPages(context: PagesContext): Hono {
  const app = new Hono()
  const sections = [
    overviewPages,
    customerPages,
    subscriptionPages,
    productPages,
    meterPages,
    meterEventPages,
    invoiceListPages,
    paymentPages,
    requestPages,
    readingPages,
    eventPages,
    deliveryPages,
    clockPages,
    faultPages,
  ]
  for (const section of sections) app.route('/', section(context))
  return app
}
