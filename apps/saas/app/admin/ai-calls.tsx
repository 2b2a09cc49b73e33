import { type AiCallRow, aiCostByDay, countAiCalls, listAiCalls } from 'meterkit/ai'
import { servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { Alert } from '~/ui/alert'
import { EmptyState } from '~/ui/empty-state'
import { PageHeader } from '~/ui/page-header'
import { formatQuantity, Quantity } from '~/ui/quantity'
import { ShortId } from '~/ui/short-id'
import { Stat, StatRow } from '~/ui/stat'
import { StatusBadge } from '~/ui/status-badge'
import { type Column, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/ai-calls'
import { FilteredList } from './filtered-list.tsx'
import { listFilter } from './list-filter.ts'
import { NothingFound } from './search-form.tsx'
import { formatUsd, formatUsdBriefly, sumUsd } from './usd.ts'

const OUTCOMES = ['completed', 'stopped', 'failed'] as const
const LABELS = { completed: 'Completed', stopped: 'Stopped', failed: 'Failed' }

const RANGE_DAYS = 30
const DAY_MS = 24 * 60 * 60_000

export const meta: Route.MetaFunction = () => [{ title: 'AI calls · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const { pool, clock } = args.context.get(servicesContext)
  const { status: outcome, ...filter } = listFilter(args.url, OUTCOMES)
  const end = new Date(clock().getTime() + DAY_MS)
  const [page, counts, days] = await Promise.all([
    listAiCalls(pool, { ...filter, ...(outcome ? { outcome } : {}) }),
    countAiCalls(pool),
    aiCostByDay(pool, { start: new Date(end.getTime() - (RANGE_DAYS + 1) * DAY_MS), end }),
  ])
  const total = (of: (day: (typeof days)[number]) => number) => days.reduce((sum, day) => sum + of(day), 0)
  return {
    page,
    counts,
    outcome: outcome ?? null,
    search: filter.search ?? null,
    recent: {
      calls: total(({ calls }) => calls),
      input: total(({ inputTokens }) => inputTokens),
      output: total(({ outputTokens }) => outputTokens),
      cost: sumUsd(days.map(({ providerCost }) => providerCost)),
    },
  }
}

export default function AiCalls({ loaderData }: Route.ComponentProps) {
  const { page, counts, outcome, search, recent } = loaderData
  return (
    <>
      <PageHeader
        title="AI calls"
        description="Every call of a language model: what it took, how it ended, what the provider charges."
      />
      {counts.unbilled > 0 && (
        <Alert
          tone="danger"
          title={`The usage of ${formatQuantity(counts.unbilled, 'calls')} was not recorded`}
          className="mb-6"
        >
          These calls are logged but not billed. The reason stands beside each; record their usage under the call's id,
          and it counts once.
        </Alert>
      )}
      <StatRow className="mb-6">
        <Stat label="Calls" value={<Quantity value={recent.calls} />} hint={`Last ${RANGE_DAYS} days`} />
        <Stat
          label="Tokens"
          value={<Quantity value={recent.input + recent.output} />}
          hint={`${formatQuantity(recent.input)} in · ${formatQuantity(recent.output)} out`}
        />
        <Stat label="Providers charge" value={formatUsdBriefly(recent.cost)} hint="List prices of known models, USD" />
      </StatRow>
      <FilteredList
        filter={{ label: 'Outcome', labels: LABELS }}
        counts={counts}
        chosen={outcome}
        search={{ text: search, placeholder: 'Model, feature, customer or id' }}
        unit="calls"
        page={page}
        nothing={<EmptyState title="No AI calls yet">Ask the AI chat something, and the call appears here.</EmptyState>}
      >
        <Table
          caption="AI calls"
          columns={COLUMNS}
          rows={page.rows}
          rowKey={({ id }) => id}
          empty={<NothingFound what="calls" />}
        />
      </FilteredList>
    </>
  )
}

const COLUMNS: Column<AiCallRow>[] = [
  { key: 'at', header: 'Time', cell: ({ at }) => <Time at={at} />, wide: true },
  {
    key: 'model',
    header: 'Model',
    cell: ({ at, model, provider, feature }) => (
      <div className="max-w-52 py-0.5">
        <p className="truncate" title={`${provider} · ${model}`}>
          {model}
        </p>
        {feature && <p className="truncate text-muted text-xs">{feature}</p>}
        <Time at={at} className="text-muted text-xs md:hidden" />
      </div>
    ),
  },
  {
    key: 'customer',
    header: 'Customer',
    cell: ({ customerName, customerId }) =>
      customerName ? <span className="block max-w-40 truncate">{customerName}</span> : <ShortId id={customerId} />,
    wide: true,
  },
  {
    key: 'tokens',
    header: 'Tokens in · out',
    align: 'right',
    cell: (call) => (
      <span className="whitespace-nowrap" title={tokensExplained(call)}>
        {call.usageSource === 'estimated' && '≈ '}
        {formatQuantity(call.inputTokens)} · {formatQuantity(call.outputTokens)}
      </span>
    ),
  },
  {
    key: 'latency',
    header: 'First word · all',
    align: 'right',
    cell: ({ firstTokenMs, latencyMs }) => (
      <span className="whitespace-nowrap">
        {firstTokenMs === null ? '–' : seconds(firstTokenMs)} · {seconds(latencyMs)}
      </span>
    ),
    wide: true,
  },
  {
    key: 'cost',
    header: 'Provider',
    align: 'right',
    cell: ({ providerCost }) =>
      providerCost === null ? (
        <span className="text-muted" title="No price is known for this model">
          –
        </span>
      ) : (
        formatUsd(providerCost)
      ),
    wide: true,
  },
  {
    key: 'outcome',
    header: 'Outcome',
    cell: ({ outcome, errorMessage, usageError }) => (
      <div className="py-0.5">
        <StatusBadge status={outcome} />
        {errorMessage && <p className="mt-1 max-w-60 break-words text-danger text-xs">{errorMessage}</p>}
        {usageError && <p className="mt-1 max-w-60 break-words text-danger text-xs">Not billed: {usageError}</p>}
      </div>
    ),
  },
  {
    key: 'event',
    header: 'Event',
    cell: ({ eventId }) =>
      eventId ? (
        <ShortId id={eventId} to={`/admin/meter-events/${eventId}`} copy={false} />
      ) : (
        <span className="text-muted">–</span>
      ),
    wide: true,
  },
]

function tokensExplained({ cachedTokens, reasoningTokens, usageSource }: AiCallRow): string {
  return [
    usageSource === 'estimated' ? 'Counted here: the answer was cut short' : 'As the provider counted',
    ...(cachedTokens > 0 ? [`${formatQuantity(cachedTokens)} in from its cache`] : []),
    ...(reasoningTokens > 0 ? [`${formatQuantity(reasoningTokens)} out for thinking`] : []),
  ].join(' · ')
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}
