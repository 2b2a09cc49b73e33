import type { Pool } from 'pg'
import type { Page } from '../events/event.ts'
import type { AiOutcome, AiUsage, UsageSource } from './call.ts'

/** One call as it was logged. */
export interface AiCallRow {
  id: string
  at: Date
  provider: string
  model: string
  feature: string | null
  conversationId: string | null
  customerId: string
  /** Null for a customer the engine does not know. */
  customerName: string | null
  subscriptionId: string
  userId: string | null
  organizationId: string | null
  inputTokens: number
  outputTokens: number
  cachedTokens: number
  reasoningTokens: number
  latencyMs: number
  firstTokenMs: number | null
  outcome: AiOutcome
  errorMessage: string | null
  usageSource: UsageSource
  /** Exact USD, a plain decimal; null for a model without a known price. */
  providerCost: string | null
  /** The usage event it caused. */
  eventId: string | null
  /** Why its usage could not be recorded. */
  usageError: string | null
}

export interface AiCallFilter {
  outcome?: AiOutcome
  /** Part of a model, a feature, a customer's name or an id: of the call, its event, its customer, its user. */
  search?: string
  /** From the page before: its `next` or `previous`. */
  cursor?: string
  /** Default 50. */
  limit?: number
}

export interface AiDay {
  /** UTC, `2026-11-24`. */
  date: string
  calls: number
  inputTokens: number
  outputTokens: number
  /** USD, of the calls whose price is known. */
  providerCost: string
}

/** The log is kept once for a call, also if this is called twice. */
export async function insertAiCall(
  pool: Pool,
  call: AiUsage & { eventId: string | null; usageError: string | null },
): Promise<void> {
  await pool.query(
    /* sql */ `
    insert into billing.ai_call_logs (
      customer_id, id, at, provider, model, feature, conversation_id, subscription_id, user_id, organization_id,
      input_tokens, output_tokens, cached_tokens, reasoning_tokens, latency_ms, first_token_ms,
      outcome, error_message, usage_source, provider_cost, event_id, usage_error)
    values (
      $1::uuid, $2::uuid, $3::timestamptz, $4::text, $5::text, $6::text, $7::text, $8::uuid, $9::text, $10::text,
      $11::bigint, $12::bigint, $13::bigint, $14::bigint, $15::int, $16::int,
      $17::text, $18::text, $19::text, $20::numeric, $21::text, $22::text)
    on conflict (id, customer_id) do nothing`,
    [
      call.customerId,
      call.callId,
      call.at,
      call.provider,
      call.model,
      call.feature ?? null,
      call.conversationId ?? null,
      call.subscriptionId,
      call.userId ?? null,
      call.organizationId ?? null,
      call.inputTokens,
      call.outputTokens,
      call.cachedTokens,
      call.reasoningTokens,
      call.latencyMs,
      call.firstTokenMs,
      call.outcome,
      call.errorMessage,
      call.usageSource,
      call.providerCost,
      call.eventId,
      call.usageError,
    ],
  )
}

/** All customers' calls, newest first. For operators: what one customer may see is the caller's business. */
export async function listAiCalls(pool: Pool, filter: AiCallFilter = {}): Promise<Page<AiCallRow>> {
  const { outcome = null, search = '', limit = 50 } = filter
  const from = filter.cursor ? parseCursor(filter.cursor) : null
  const newer = from?.direction === 'newer'
  const { rows } = await pool.query<AiCallRow>(
    /* sql */ `
    select call.id, at, provider, model, feature,
      conversation_id as "conversationId", customer_id as "customerId", customer.name as "customerName",
      subscription_id as "subscriptionId", user_id as "userId", organization_id as "organizationId",
      input_tokens::float8 as "inputTokens", output_tokens::float8 as "outputTokens",
      cached_tokens::float8 as "cachedTokens", reasoning_tokens::float8 as "reasoningTokens",
      latency_ms as "latencyMs", first_token_ms as "firstTokenMs", outcome, error_message as "errorMessage",
      usage_source as "usageSource", provider_cost::text as "providerCost",
      event_id as "eventId", usage_error as "usageError"
    from billing.ai_call_logs as call
    left join billing.customers as customer on customer.id = call.customer_id
    where ($1::text is null or outcome = $1)
      and ($2::text = '' or concat_ws(' ', customer.name, call.id, event_id, customer_id, user_id, provider, model, feature)
        ilike '%' || $2 || '%')
      and ($3::uuid is null or call.id ${newer ? '>' : '<'} $3)
    order by call.id ${newer ? 'asc' : 'desc'}
    limit $4::int`,
    [outcome, escapeLike(search.trim()), from?.id ?? null, limit + 1],
  )
  const more = rows.length > limit
  const page = rows.slice(0, limit)
  if (newer) page.reverse()
  const [first, last] = [page.at(0), page.at(-1)]
  return {
    rows: page,
    next: last && (newer || more) ? cursor('older', last) : null,
    previous: first && (newer ? more : from !== null) ? cursor('newer', first) : null,
  }
}

/** How many calls ended how; `unbilled`: their usage could not be recorded. */
export async function countAiCalls(pool: Pool): Promise<Record<AiOutcome | 'all' | 'unbilled', number>> {
  const { rows } = await pool.query(/* sql */ `
    select count(*)::float8 as "all",
      (count(*) filter (where outcome = 'completed'))::float8 as completed,
      (count(*) filter (where outcome = 'stopped'))::float8 as stopped,
      (count(*) filter (where outcome = 'failed'))::float8 as failed,
      (count(usage_error))::float8 as unbilled
    from billing.ai_call_logs`)
  return rows[0]
}

/**
 * What the providers charge, by UTC day, oldest first; days without a call are left out.
 *
 * @param range start inclusive, end exclusive
 */
export async function aiCostByDay(pool: Pool, { start, end }: { start: Date; end: Date }): Promise<AiDay[]> {
  const { rows } = await pool.query<AiDay>(
    /* sql */ `
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as date, count(*)::float8 as calls,
      sum(input_tokens)::float8 as "inputTokens", sum(output_tokens)::float8 as "outputTokens",
      trim_scale(coalesce(sum(provider_cost), 0))::text as "providerCost"
    from billing.ai_call_logs
    where id >= billing.first_id($1::timestamptz) and id < billing.first_id($2::timestamptz)
    group by 1
    order by 1`,
    [start, end],
  )
  return rows
}

type Direction = 'older' | 'newer'

function cursor(direction: Direction, { id }: AiCallRow): string {
  return `${direction}_${id}`
}

/** Null, the first page, for anything that is not one of ours: cursors come from an address people can edit. */
function parseCursor(text: string): { direction: Direction; id: string } | null {
  const match = /^(older|newer)_([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/.exec(text)
  return match ? { direction: match[1] as Direction, id: match[2]! } : null
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
