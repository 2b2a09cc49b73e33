-- Every call of a language model, whoever wrote the feature. The id, a UUIDv7 of the call's start, is also the key of
-- the usage event it caused; it leads the primary key because newest-first lists and days are read by it.
create table billing.ai_call_logs (
  customer_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  provider text not null,
  model text not null,
  feature text,
  conversation_id text,
  subscription_id uuid not null,
  user_id text,
  organization_id text,
  input_tokens bigint not null check (input_tokens >= 0),
  output_tokens bigint not null check (output_tokens >= 0),
  cached_tokens bigint not null check (cached_tokens >= 0), -- the part of input_tokens read from the provider's cache
  reasoning_tokens bigint not null check (reasoning_tokens >= 0), -- the part of output_tokens nobody reads
  latency_ms int not null,
  first_token_ms int, -- null: nothing was produced
  outcome text not null check (outcome in ('completed', 'stopped', 'failed')),
  error_message text,
  usage_source text not null check (usage_source in ('provider', 'estimated')),
  provider_cost numeric, -- USD; null: no price known for the model
  event_id text, -- what the usage callback recorded
  usage_error text, -- why it could not: this call's usage is not billed until somebody records it
  primary key (id, customer_id)
);
