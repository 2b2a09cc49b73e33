import type { Metadata } from '../http/params.ts'
import type { Stored } from '../objects.ts'

/** What a customer types in to redeem a coupon. */
export interface PromotionCode extends Stored {
  object: 'promotion_code'
  active: boolean
  code: string
  customer: string | null
  customer_account: null
  expires_at: number | null
  livemode: false
  max_redemptions: number | null
  metadata: Metadata
  promotion: { coupon: string; type: 'coupon' }
  restrictions: {
    first_time_transaction: boolean
    minimum_amount: number | null
    minimum_amount_currency: string | null
  }
  times_redeemed: number
}
