export { formatDecimal } from './pricing/decimal.ts'
export { describeLine, formatAmount, formatQuantity } from './pricing/describe.ts'
export { currencyExponent, minimumCharge } from './pricing/money.ts'
export { type PriceModel, type PricedLine, type PricedUsage, priceUsage, type Tier } from './pricing/price-usage.ts'
