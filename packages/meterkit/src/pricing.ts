export { formatDecimal } from './pricing/decimal.ts'
export { describeLine, formatAmount, formatQuantity } from './pricing/describe.ts'
export { currencyExponent, minimumCharge } from './pricing/money.ts'
export { type PricedLine, type PricedUsage, type PriceModel, priceUsage, type Tier } from './pricing/price-usage.ts'
