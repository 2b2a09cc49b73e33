import ArrowRight from 'lucide-react/icons/arrow-right'
import { catalogOf } from 'meterkit'
import { Link } from 'react-router'
import billing from 'saas/billing.config'
import { optionalUser } from 'saas/server/session'
import { LinkButton } from '~/ui/button'
import { CodeBlock } from '~/ui/code-block'
import { Logo } from '../frame/logo.tsx'
import type { Route } from './+types/landing'
import { comparedPlans, quantityFrom } from './comparison.ts'
import { PriceSlider } from './price-slider.tsx'
import { ProductPicture } from './product-picture.tsx'

/** Where the slider stands at first: a usage at which the plans part. */
const usualQuantity = '250000'

export const meta: Route.MetaFunction = () => [
  { title: 'Meterkit: charge for what is used' },
  { name: 'description', content: 'Metered billing on Stripe for TypeScript, from recordEvent() to the paid invoice.' },
]

export async function loader(args: Route.LoaderArgs) {
  const { meters, plans } = catalogOf(billing)
  const [meter] = meters.values()
  return {
    isSignedIn: (await optionalUser(args)) !== null,
    unit: meter?.unit ?? 'units',
    plans: meter ? comparedPlans([...plans.values()], meter) : [],
    quantity: quantityFrom(args.url.searchParams.get('quantity')) ?? usualQuantity,
  }
}

export default function Landing({ loaderData: { isSignedIn, plans, unit, quantity } }: Route.ComponentProps) {
  return (
    <div className="mx-auto max-w-[70rem] px-4 sm:px-8">
      <header className="flex h-16 items-center justify-between">
        <Link to="/" className="flex items-center gap-2.5 rounded-lg font-medium text-base">
          <Logo /> Meterkit
        </Link>
      </header>
      <main id="main" tabIndex={-1} className="outline-none">
        <div className="pt-14 pb-14 sm:pt-24 sm:pb-20">
          <h1 className="max-w-4xl text-balance font-medium text-hero">
            Charge your customers for what they use, from the first event to the paid invoice.
          </h1>
          <div className="mt-8 flex flex-wrap gap-2.5">
            {isSignedIn ? (
              <LinkButton to="/app" variant="primary" size="lg">
                Open the app <ArrowRight aria-hidden />
              </LinkButton>
            ) : (
              <>
                <LinkButton to="/register" variant="primary" size="lg">
                  Start now <ArrowRight aria-hidden />
                </LinkButton>
                <LinkButton to="/login" size="lg">
                  Sign in
                </LinkButton>
              </>
            )}
          </div>
        </div>
        {plans.length > 0 && <PriceSlider plans={plans} unit={unit} initial={quantity} />}
        <Steps />
        <ProductPicture />
      </main>
      <footer className="flex flex-wrap justify-between gap-x-6 gap-y-2 border-t py-8 text-muted">
        <p>Meterkit: metered billing on Stripe for TypeScript. MIT licensed.</p>
        <p className="tabular-nums">Prices and arithmetic on this page come from billing.config.ts.</p>
      </footer>
    </div>
  )
}

function Steps() {
  return (
    <section aria-labelledby="steps" className="py-20 sm:py-28">
      <h2 id="steps" className="font-medium text-3xl tracking-tight">
        Three steps
      </h2>
      <ol className="mt-8 grid gap-x-6 gap-y-10 lg:grid-cols-3">
        {steps.map(({ title, text, file, code }) => (
          <li key={title} className="flex min-w-0 flex-col">
            <h3 className="font-medium text-base">{title}</h3>
            <p className="mt-1 mb-4 text-pretty text-muted">{text}</p>
            <CodeBlock title={file} code={code} className="flex-1" />
          </li>
        ))}
      </ol>
    </section>
  )
}

const steps = [
  {
    title: '1. Say what costs what',
    text: 'One file holds meters and plans. Provisioning makes Stripe match it, as often as you like.',
    file: 'billing.config.ts',
    code: `
export default defineBilling({
  meters: {
    ai_tokens: { displayName: 'AI tokens' },
  },
  plans: {
    essential: {
      name: 'Essential',
      prices: [{
        meter: 'ai_tokens',
        unitAmount: 5, // cents
        perUnits: 1_000,
      }],
    },
  },
})`,
  },
  {
    title: '2. Record what is used',
    text: 'The call returns at once. Each event survives a crash, and is billed exactly once.',
    file: 'chat.ts',
    code: `
meterkit.recordEvent({
  meter: 'ai_tokens',
  customerId,
  subscriptionId,
  quantity: 12_345,
})

// or inside your own transaction:
await meterkit.recordEvent(event, { tx })`,
  },
  {
    title: '3. Show it, and get paid',
    text: 'Customers see every cent explained while they use it. Stripe’s invoice says the same.',
    file: 'billing.ts',
    code: `
const charges =
  await meterkit.invoices.upcoming(subscriptionId)

charges.amount
// 65n: 12,345 tokens
//   → 13 packages of 1,000 × $0.05`,
  },
]
