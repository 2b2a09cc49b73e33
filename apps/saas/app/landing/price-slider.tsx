import Check from 'lucide-react/icons/check'
import { useId, useState } from 'react'
import { Form } from 'react-router'
import { Button } from '~/ui/button'
import { cn } from '~/ui/cn'
import { unbroken } from '~/ui/formula'
import { formatMoney } from '~/ui/money'
import { formatQuantity } from '~/ui/quantity'
import { type ComparedPlan, type Quote, quantityFrom, quotesFor, stopFor, stops } from './comparison.ts'

/** Drag, or type an exact number: what a month costs on each plan, and which is cheapest. */
export function PriceSlider({ plans, unit, initial }: { plans: ComparedPlan[]; unit: string; initial: string }) {
  const [quantity, setQuantity] = useState(initial)
  const [text, setText] = useState(formatQuantity(initial))
  const id = useId()
  const quotes = quotesFor(plans, quantity, unit)
  const slide = (stop: number) => {
    const next = String(stops[stop] ?? stops[0])
    setQuantity(next)
    setText(formatQuantity(next))
  }
  const type = (typed: string) => {
    setText(typed)
    const next = quantityFrom(typed)
    if (next !== null) setQuantity(next)
  }
  return (
    <section aria-labelledby={`${id}-title`} className="rounded-card border bg-surface">
      <Form method="get" preventScrollReset className="p-5 sm:p-8">
        <div className="flex flex-wrap items-end justify-between gap-4">
          <h2 id={`${id}-title`} className="font-medium text-xl tracking-tight">
            What would a month cost?
          </h2>
          <div className="flex items-center gap-2">
            <label htmlFor={`${id}-number`} className="text-muted">
              {sentenceCase(unit)} a month
            </label>
            <input
              id={`${id}-number`}
              name="quantity"
              inputMode="numeric"
              autoComplete="off"
              value={text}
              onChange={(event) => type(event.target.value)}
              onBlur={() => setText(formatQuantity(quantity))}
              className="h-9 w-36 rounded-lg border border-border-strong bg-surface px-3 text-right text-base tabular-nums"
            />
            <Button type="submit" className="hidden noscript:inline-flex">
              Work out
            </Button>
          </div>
        </div>
        <input
          type="range"
          min={0}
          max={stops.length - 1}
          step={1}
          value={stopFor(quantity)}
          onChange={(event) => slide(Number(event.target.value))}
          aria-label={`${sentenceCase(unit)} a month`}
          aria-valuetext={formatQuantity(quantity, unit)}
          className="price-slider noscript:hidden mt-6 w-full"
        />
        <div aria-hidden className="noscript:hidden mt-1 flex justify-between text-muted text-xs tabular-nums">
          {['1,000', '10,000', '100,000', '1M', '10M'].map((mark) => (
            <span key={mark}>{mark}</span>
          ))}
        </div>
      </Form>
      <ul className="grid gap-px overflow-clip rounded-b-card border-t bg-border md:grid-cols-3">
        {quotes.map((quote) => (
          <PlanQuote key={quote.key} quote={quote} />
        ))}
      </ul>
      <p role="status" className="sr-only">
        {summary(quotes, quantity, unit)}
      </p>
    </section>
  )
}

function PlanQuote({ quote: { name, amount, currency, lines, cheapest } }: { quote: Quote }) {
  return (
    <li className={cn('min-w-0 bg-surface p-5 transition-colors sm:p-8', cheapest && 'bg-accent-soft')}>
      <p className="flex min-h-6 items-center justify-between gap-2">
        <span className="font-medium">{name}</span>
        {cheapest && (
          <span className="inline-flex items-center gap-1 font-medium text-accent text-xs">
            <Check className="size-3.5" aria-hidden /> Cheapest
          </span>
        )}
      </p>
      <p className="mt-2 font-medium text-3xl tabular-nums tracking-tight">{formatMoney(amount, currency)}</p>
      {lines.map((line) => (
        <p key={line} className="mt-1.5 text-muted text-xs tabular-nums">
          {unbroken(line)}
        </p>
      ))}
    </li>
  )
}

function summary(quotes: readonly Quote[], quantity: string, unit: string): string {
  const amounts = quotes.map(({ name, amount, currency }) => `${name} ${formatMoney(amount, currency)}`)
  const cheapest = quotes.filter((quote) => quote.cheapest).map(({ name }) => name)
  const verdict = cheapest.length > 0 ? ` Cheapest: ${cheapest.join(' and ')}.` : ''
  return `${formatQuantity(quantity, unit)} a month: ${amounts.join(', ')}.${verdict}`
}

function sentenceCase(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
