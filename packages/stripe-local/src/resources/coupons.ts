import type { Account } from '../account.ts'
import { currencyOf } from '../catalogue/currency.ts'
import type { Coupon } from '../discounts/coupon.ts'
import { ApiError, refuse } from '../http/errors.ts'
import {
  integer,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  type Params,
  type Rule,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { invalidDecimal, invalidObject } from '../http/wording.ts'
import { randomLetters } from '../identifier.ts'

const FIVE_YEARS = 5 * 366 * 86_400

const creatable = {
  amount_off: integer({ min: 1 }),
  applies_to: shape({ products: required(list(text())) }),
  currency: text({ max: 3 }),
  currency_options: amounts(),
  duration: oneOf('forever', 'once', 'repeating'),
  duration_in_months: integer({ min: 1 }),
  id: text({ max: 200 }),
  max_redemptions: integer({ min: 1 }),
  metadata: metadata(),
  name: text({ max: 40 }),
  percent_off: percentage(),
  redeem_by: timestamp(),
}
type Creation = Params<typeof creatable>

export const couponRoutes = [
  route('POST', '/v1/coupons', creatable, (account, params) => {
    checkCreation(account, params)
    for (const [index, id] of (params.applies_to?.products ?? []).entries())
      account.reference('product', id, `applies_to[products][${index}]`)
    const made = account.create<Coupon>(
      {
        id: params.id ?? randomLetters(8),
        object: 'coupon',
        amount_off: params.amount_off ?? null,
        created: account.seconds(),
        currency: params.amount_off === undefined ? null : currencyOf(params.currency!),
        duration: params.duration ?? 'once',
        duration_in_months: params.duration_in_months ?? null,
        livemode: false,
        max_redemptions: params.max_redemptions ?? null,
        metadata: mergedMetadata({}, params.metadata),
        name: params.name ?? null,
        percent_off: params.percent_off ?? null,
        redeem_by: params.redeem_by ?? null,
        times_redeemed: 0,
        _applies_to: params.applies_to ?? null,
        _amounts: params.currency_options ?? {},
      },
      'coupon.created',
    )
    return account.present(made)
  }),

  route('GET', '/v1/coupons/:id', {}, (account, _params, { id }) => account.present(liveCoupon(account, id!))),

  route(
    'POST',
    '/v1/coupons/:id',
    { currency_options: amounts(), metadata: metadata(), name: text({ max: 40 }) },
    (account, { currency_options: amounts, metadata: sent, ...params }, { id }) => {
      const before = liveCoupon(account, id!)
      if (amounts && before.amount_off === null)
        throw refuse('You can only specify `currency_options` for a coupon with `amount_off`.', {
          param: 'currency_options',
        })
      const changes = {
        ...params,
        metadata: mergedMetadata(before.metadata, sent),
        _amounts: { ...before._amounts, ...amounts },
      }
      return account.present(account.change(before, changes, 'coupon.updated'))
    },
  ),

  route('GET', '/v1/coupons', { ...paging, created: range() }, (account, params) =>
    listPage<Coupon>(account, 'coupon', '/v1/coupons', params, {
      also: { sql: `json_extract(data, '$._deleted') is null`, values: [] },
      ...(params.created && { created: params.created }),
    }),
  ),

  route('DELETE', '/v1/coupons/:id', {}, (account, _params, { id }) => {
    const gone = account.objects.save<Coupon>({ ...liveCoupon(account, id!), _deleted: true })
    account.events.emit('coupon.deleted', account.present(gone))
    return { id: gone.id, object: 'coupon', deleted: true }
  }),
]

function liveCoupon(account: Account, id: string): Coupon {
  const found = account.objects.find<Coupon>('coupon', id)
  if (found && !found._deleted) return found
  throw new ApiError(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param: 'coupon',
    message: `No such coupon: '${id}'`,
  })
}

function checkCreation(account: Account, params: Creation): void {
  const { amount_off: amount, percent_off: percent, currency, duration, redeem_by: until } = params
  if (params.currency_options && percent !== undefined) {
    throw refuse('You may only specify one of these parameters: currency_options, percent_off.', {
      param: 'currency_options',
    })
  }
  if (amount === undefined && percent === undefined)
    throw refuse('Must provide percent_off or amount_off.', { code: 'parameter_missing' })
  if (amount !== undefined && percent !== undefined)
    throw refuse('Received both percent_off and amount_off parameters. Please pass in only one.')
  if (amount !== undefined && currency === undefined)
    throw refuse('You must pass currency when passing amount_off', { param: 'currency' })
  if (duration === 'repeating' && params.duration_in_months === undefined) {
    throw refuse('The duration_in_months param must be set when creating a coupon with a repeating duration', {
      param: 'duration',
    })
  }
  if (duration !== 'repeating' && params.duration_in_months !== undefined) {
    throw refuse('The duration_in_months param may only be set for a coupon with a repeating duration', {
      param: 'duration_in_months',
    })
  }
  const now = account.seconds()
  if (until !== undefined && until <= now) {
    throw refuse(
      `The parameter \`redeem_by\` expects a unix timestamp representing a date and time in the future. You specified the value \`${until}\` which is in the past.`,
      { param: 'redeem_by' },
    )
  }
  if (until !== undefined && until > now + FIVE_YEARS)
    throw refuse('`redeem_by` cannot be set to more than 5 years in the future.', { param: 'redeem_by' })
  if (params.id !== undefined && account.objects.any(params.id))
    throw refuse('Coupon already exists.', { code: 'resource_already_exists' })
}

/** More than 0 and at most 100, with at most two places. */
function percentage(): Rule<number> {
  return {
    read(value, name) {
      const written = String(value)
      if (typeof value === 'object' || !/^\d+(\.\d+)?$/.test(written)) throw invalidDecimal(value, name)
      const read = Number(written)
      const shown = Number.isInteger(read) ? read.toFixed(1) : String(read)
      if (read < 0.01) {
        throw refuse(`This value must be greater than or equal to 0.01 (it currently is '${shown}').`, { param: name })
      }
      if (read > 100) {
        throw refuse(`This value must be less than or equal to 100 (it currently is '${shown}').`, { param: name })
      }
      return read
    },
  }
}

/** An amount for each of several currencies. */
function amounts(): Rule<Coupon['_amounts']> {
  const amount = shape({ amount_off: required(integer({ min: 1 })) })
  return {
    inner: {},
    read(value, name, unknown) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidObject(name)
      const read = Object.entries(value).map(([currency, inner]) => {
        if (currency !== currency.toLowerCase()) {
          throw refuse(
            `Currencies must be lowercase when used as keys in a map. Use \`${currency.toLowerCase()}\` instead of \`${currency}\`.`,
            { param: name },
          )
        }
        return [currencyOf(currency, name), amount.read(inner!, `${name}[${currency}]`, unknown)]
      })
      return Object.fromEntries(read)
    },
  }
}
