import type { Account, Kind } from '../account.ts'
import { missing, refuse } from '../http/errors.ts'
import { integer, list, oneOf, required, shape, text } from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { missingParam } from '../http/wording.ts'
import { newId } from '../identifier.ts'
import { type Alert, forgetProgress, presentAlert } from '../metering/alert.ts'
import type { Meter } from '../metering/usage.ts'
import { customerParameter } from './customers.ts'

export const alert: Kind = {
  type: 'billing.alert',
  noun: 'billing alert',
  references: { 'usage_threshold.meter': 'billing.meter', 'usage_threshold.filters.customer': 'customer' },
  present: presentAlert,
}

/** "You can create a maximum of 25 alerts for each combination of a specific meter and customer." */
const ALERTS_MAX = 25

export const alertRoutes = [
  route(
    'POST',
    '/v1/billing/alerts',
    {
      alert_type: required(oneOf('usage_threshold')),
      title: required(text({ max: 256 })),
      usage_threshold: shape({
        filters: list(shape({ customer: text(), type: required(oneOf('customer')) }), { max: 1 }),
        gte: required(integer({ min: 1 })),
        meter: required(text()),
        recurrence: required(oneOf('one_time')),
      }),
    },
    (account, params) => {
      const threshold = params.usage_threshold
      if (!threshold) throw missingParam('usage_threshold')
      const { id: meter } = account.reference<Meter>('billing.meter', threshold.meter, 'usage_threshold[meter]')
      const filters = filtersFrom(account, threshold.filters)
      checkRoom(account, meter, filters?.[0]?.customer)
      const made = account.create<Alert>({
        id: newId('alrt'),
        object: 'billing.alert',
        created: account.seconds(),
        alert_type: 'usage_threshold',
        livemode: false,
        status: 'active',
        title: params.title,
        usage_threshold: { filters, gte: threshold.gte, meter, recurrence: 'one_time' },
        _since_ms: account.timeline.nowMs(),
      })
      return account.present(made)
    },
  ),

  route(
    'GET',
    '/v1/billing/alerts',
    { ...paging, alert_type: oneOf('usage_threshold'), meter: text() },
    (account, params) =>
      listPage<Alert>(account, 'billing.alert', '/v1/billing/alerts', params, {
        where: { '$.usage_threshold.meter': params.meter },
        also: { sql: `json_extract(data, '$.status') <> 'archived'`, values: [] },
      }),
  ),

  route('GET', '/v1/billing/alerts/:id', {}, (account, _params, { id }) => account.present(keptAlert(account, id!))),

  route('POST', '/v1/billing/alerts/:id/activate', {}, (account, _params, { id }) => {
    const before = keptAlert(account, id!)
    if (before.status === 'active') throw refuse(`The alert \`${before.id}\` is already active.`)
    forgetProgress(account, before)
    return account.present(account.change(before, { status: 'active', _since_ms: account.timeline.nowMs() }))
  }),

  route('POST', '/v1/billing/alerts/:id/deactivate', {}, (account, _params, { id }) => {
    const before = keptAlert(account, id!)
    if (before.status === 'inactive') throw refuse(`The alert \`${before.id}\` is already inactive.`)
    return account.present(account.change(before, { status: 'inactive' }))
  }),

  route('POST', '/v1/billing/alerts/:id/archive', {}, (account, _params, { id }) => {
    const before = keptAlert(account, id!)
    forgetProgress(account, before)
    return account.present(account.change(before, { status: 'archived' }))
  }),
]

/** An archived alert is gone from the API. @throws ApiError 404 */
function keptAlert(account: Account, id: string): Alert {
  const found = account.get<Alert>('billing.alert', id)
  if (found.status === 'archived') throw missing('billing alert', id)
  return found
}

function filtersFrom(
  account: Account,
  given: { customer?: string; type: 'customer' }[] | undefined,
): Alert['usage_threshold']['filters'] {
  if (!given || given.length === 0) return null
  return given.map(({ customer, type }, index) => {
    const param = `usage_threshold[filters][${index}][customer]`
    if (customer === undefined) throw missingParam(param)
    return { customer: customerParameter(account, customer, param).id, type }
  })
}

function checkRoom(account: Account, meter: string, customer: string | undefined): void {
  const same = account.objects
    .all<Alert>('billing.alert', { '$.usage_threshold.meter': meter })
    .filter((other) => other.status !== 'archived' && other.usage_threshold.filters?.[0]?.customer === customer)
  if (same.length < ALERTS_MAX) return
  throw refuse(`You can create a maximum of ${ALERTS_MAX} alerts for each combination of a meter and a customer.`)
}
