import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import { currencyOf } from '../catalogue/currency.ts'
import { type Coupon, isValid, redeemable } from '../discounts/coupon.ts'
import type { PromotionCode } from '../discounts/promotion-code.ts'
import { refuse } from '../http/errors.ts'
import {
  flag,
  integer,
  mergedMetadata,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { missingParam } from '../http/wording.ts'
import { newId, randomLetters } from '../identifier.ts'
import { customerParameter } from './customers.ts'

export const promotionCode: Kind = {
  type: 'promotion_code',
  noun: 'promotion code',
  references: { customer: 'customer', 'promotion.coupon': 'coupon' },
  present: (account, stored: PromotionCode): Wire => ({ ...visible(stored), active: isActive(account, stored) }),
}

export const promotionCodeRoutes = [
  route(
    'POST',
    '/v1/promotion_codes',
    {
      active: flag(),
      code: text({ max: 500 }),
      customer: text(),
      expires_at: timestamp(),
      max_redemptions: integer({ min: 1 }),
      metadata: metadata(),
      promotion: required(shape({ coupon: text(), type: required(oneOf('coupon')) })),
      restrictions: shape({
        first_time_transaction: flag(),
        minimum_amount: integer({ min: 1 }),
        minimum_amount_currency: text({ max: 3 }),
      }),
    },
    (account, params) => {
      if (params.promotion.coupon === undefined) throw missingParam('promotion[coupon]')
      const coupon = redeemable(account, params.promotion.coupon, 'promotion[coupon]')
      checkLimits(account, coupon, params)
      const code = params.code ?? randomLetters(8).toUpperCase()
      if (!/^[A-Za-z0-9-]+$/.test(code)) {
        throw refuse('Promotion codes may only contain letters (a-z, A-Z), digits (0-9) and dashes (-).', {
          param: 'code',
        })
      }
      const customer = params.customer === undefined ? null : customerParameter(account, params.customer).id
      const isActiveFromNow = params.active ?? true
      if (isActiveFromNow) checkFree(account, code, customer)
      const { minimum_amount: minimum, minimum_amount_currency: currency } = params.restrictions ?? {}
      if ((minimum === undefined) !== (currency === undefined)) {
        throw refuse('You must pass `minimum_amount` and `minimum_amount_currency` together.', {
          param: `restrictions[${minimum === undefined ? 'minimum_amount' : 'minimum_amount_currency'}]`,
        })
      }
      const made = account.create<PromotionCode>(
        {
          id: newId('promo'),
          object: 'promotion_code',
          active: isActiveFromNow,
          code,
          created: account.seconds(),
          customer,
          customer_account: null,
          expires_at: params.expires_at ?? null,
          livemode: false,
          max_redemptions: params.max_redemptions ?? null,
          metadata: mergedMetadata({}, params.metadata),
          promotion: { coupon: coupon.id, type: 'coupon' },
          restrictions: {
            first_time_transaction: params.restrictions?.first_time_transaction ?? false,
            minimum_amount: minimum ?? null,
            minimum_amount_currency: currency === undefined ? null : currencyOf(currency),
          },
          times_redeemed: 0,
        },
        'promotion_code.created',
      )
      return account.present(made)
    },
  ),

  route('GET', '/v1/promotion_codes/:id', {}, (account, _params, { id }) =>
    account.present(account.get<PromotionCode>('promotion_code', id!)),
  ),

  route(
    'POST',
    '/v1/promotion_codes/:id',
    { active: flag(), metadata: metadata() },
    (account, { metadata: sent, active }, { id }) => {
      const before = account.get<PromotionCode>('promotion_code', id!)
      if (active && !before.active) checkFree(account, before.code, before.customer)
      const changes = { ...(active !== undefined && { active }), metadata: mergedMetadata(before.metadata, sent) }
      return account.present(account.change(before, changes, 'promotion_code.updated'))
    },
  ),

  route(
    'GET',
    '/v1/promotion_codes',
    { ...paging, active: flag(), code: text(), coupon: text(), created: range(), customer: text() },
    (account, params) =>
      listPage<PromotionCode>(account, 'promotion_code', '/v1/promotion_codes', params, {
        where: {
          '$.active': params.active,
          '$.promotion.coupon': params.coupon,
          '$.customer': params.customer,
        },
        ...(params.code !== undefined && {
          also: { sql: `lower(json_extract(data, '$.code')) = ?`, values: [params.code.toLowerCase()] },
        }),
        ...(params.created && { created: params.created }),
      }),
  ),
]

/** Whether somebody can still enter it. */
export function isActive(account: Account, stored: PromotionCode): boolean {
  if (!stored.active) return false
  if (stored.expires_at !== null && account.seconds() >= stored.expires_at) return false
  if (stored.max_redemptions !== null && stored.times_redeemed >= stored.max_redemptions) return false
  const coupon = account.objects.find<Coupon>('coupon', stored.promotion.coupon)
  return coupon !== undefined && isValid(account, coupon)
}

/** "Regardless of case, this code must be unique across all active promotion codes for a specific customer." */
function checkFree(account: Account, code: string, customer: string | null): void {
  const clash = account.objects
    .all<PromotionCode>('promotion_code', { '$.active': true })
    .some(
      (other) =>
        other.code.toLowerCase() === code.toLowerCase() &&
        (other.customer === customer || other.customer === null || customer === null) &&
        isActive(account, other),
    )
  if (clash) throw refuse(`An active promotion code with \`code: ${code}\` already exists.`)
}

function checkLimits(
  account: Account,
  coupon: Coupon,
  { expires_at: expires, max_redemptions: redemptions }: { expires_at?: number; max_redemptions?: number },
): void {
  if (expires !== undefined && expires <= account.seconds()) {
    throw refuse(
      `The parameter \`expires_at\` expects a unix timestamp representing a date and time in the future. You specified the value \`${expires}\` which is in the past.`,
      { param: 'expires_at' },
    )
  }
  if (expires !== undefined && coupon.redeem_by !== null && expires > coupon.redeem_by)
    throw refuse("A promotion code cannot expire after its coupon's `redeem_by`.", { param: 'expires_at' })
  if (redemptions !== undefined && coupon.max_redemptions !== null && redemptions > coupon.max_redemptions) {
    throw refuse("`max_redemptions` of a promotion code cannot be greater than its coupon's.", {
      param: 'max_redemptions',
    })
  }
}
