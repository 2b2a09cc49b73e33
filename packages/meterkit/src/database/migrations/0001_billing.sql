-- Every key of a table that grows holds the customer, so that the schema can be sharded by customer as it is.

create table billing.settings (
  name text primary key,
  value jsonb not null
);

create table billing.meters (
  id int primary key,
  event_name text not null unique,
  display_name text not null,
  aggregation text not null check (aggregation in ('sum', 'count')),
  unit text not null
);

create table billing.customers (
  id uuid primary key,                        -- derived from source and source_id, hence unique for them
  source text not null check (source in ('user', 'organization')),
  source_id text not null,
  name text not null,
  email text,
  stripe_id text,
  balance bigint not null default 0,          -- minor units, as at Stripe: what is owed is positive, a credit negative
  created_at timestamptz not null default now()
);
create index customers_by_stripe_id on billing.customers (stripe_id);

create table billing.prices (
  stripe_id text primary key,
  lookup_key text,
  plan text,
  meter text,
  currency text not null,
  "interval" text not null,
  model jsonb,
  flat_amount bigint,
  check ((model is null) <> (flat_amount is null))
);

create table billing.subscriptions (
  customer_id uuid not null references billing.customers (id),
  id uuid not null,                           -- derived from stripe_id
  stripe_id text not null,
  status text not null,
  plan text,
  items jsonb not null,
  period_start timestamptz,
  period_end timestamptz,
  started_at timestamptz not null,
  trial_end timestamptz,
  cancel_at_period_end boolean not null,
  cancel_at timestamptz,
  ended_at timestamptz,
  problem text,
  reportable boolean not null default true,   -- false: Stripe would bill its usage twice
  switching_at timestamptz,                   -- a switch was asked for and its answer is not known yet
  version int not null default 1,             -- one more with every store: an older answer of Stripe's is noticed
  primary key (customer_id, id)
);
create index subscriptions_by_id on billing.subscriptions (id);

-- A period cut at every price change. Rollups are cut at the same instants.
create table billing.segments (
  customer_id uuid not null,
  subscription_id uuid not null,
  starts_at timestamptz not null,
  kind text not null check (kind in ('billable', 'free', 'ended')),
  period_start timestamptz,
  period_end timestamptz,
  items jsonb not null,
  closed_at timestamptz,
  primary key (customer_id, subscription_id, starts_at),
  foreign key (customer_id, subscription_id) references billing.subscriptions (customer_id, id)
);

-- Append-only. The id is a UUIDv7 of our own clock: partitions follow it, so the key stays unique across months.
-- The id leads the key because newest-first lists read it, and because it makes insertions local.
create table billing.meter_events (
  customer_id uuid not null,
  id uuid not null,
  subscription_id uuid not null,
  meter int not null,
  quantity numeric not null check (quantity >= 0),
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default now(),
  key text,
  properties jsonb,
  primary key (id, customer_id)
) partition by range (id);
create index meter_events_by_time on billing.meter_events (subscription_id, meter, occurred_at);

-- The caller's own ids, kept forever.
create table billing.event_keys (
  customer_id uuid not null,
  key text not null,
  id uuid not null,
  fingerprint bigint not null,
  primary key (customer_id, key)
);

create table billing.event_voids (
  customer_id uuid not null,
  id uuid not null,
  voided_at timestamptz not null default now(),
  voided_by text not null,
  reason text not null,
  primary key (customer_id, id)
);

-- Events the database would not take, so that they never block the ones behind them.
create table billing.set_aside_events (
  customer_id uuid not null,
  id uuid not null,
  event text not null,                        -- JSON; text, because jsonb refuses some of what was refused before
  error text not null,
  set_aside_at timestamptz not null default now(),
  primary key (customer_id, id, error)
);

-- Usage per hour ∩ segment. An index may name `due` but never a number: those change with every batch, `due` rarely,
-- so nearly all updates stay within their page.
create table billing.rollups (
  customer_id uuid not null,
  subscription_id uuid not null,
  meter int not null,
  since timestamptz not null,
  quantity numeric not null,
  events bigint not null,
  reported numeric not null default 0,
  reported_events bigint not null default 0,
  due boolean not null default true,          -- may differ from what was reported
  last_event_at timestamptz not null,
  primary key (customer_id, subscription_id, meter, since)
) with (fillfactor = 70);
create index rollups_due on billing.rollups (customer_id, subscription_id, meter, since) where due;

create table billing.reports (
  customer_id uuid not null,
  id uuid not null,
  subscription_id uuid not null,
  meter int not null,
  since timestamptz not null,                 -- the rollup it reports
  value numeric not null,
  events bigint not null,
  identifier text not null,
  reported_for timestamptz not null,          -- the timestamp Stripe is told
  late boolean not null,
  status text not null check (status in ('pending', 'accepted', 'failed', 'unsure', 'cleared')),
  attempts int not null default 0,
  definite_answers int not null default 0,    -- part of the idempotency key: a key replays errors, too
  created_at timestamptz not null,
  written_at timestamptz not null default clock_timestamp(),
  first_attempt_at timestamptz,
  last_attempt_at timestamptz,
  next_attempt_at timestamptz not null,
  accepted_at timestamptz,
  error text,
  primary key (id, customer_id),
  unique (customer_id, identifier),
  check ((status = 'accepted') <= (accepted_at is not null)),
  check ((status in ('failed', 'unsure')) <= (error is not null))
);
create index reports_of_rollup on billing.reports (customer_id, subscription_id, meter, since);
create index reports_open on billing.reports (customer_id, next_attempt_at) where status in ('pending', 'unsure');
create index reports_failed on billing.reports (customer_id) where status in ('failed', 'unsure');
create index reports_late on billing.reports (customer_id, subscription_id, reported_for) where late;

create table billing.invoices (
  customer_id uuid not null references billing.customers (id),
  stripe_id text not null,
  subscription_id uuid,
  number text,
  status text not null,
  period_start timestamptz not null,
  period_end timestamptz not null,
  currency text not null,
  total bigint not null,
  amount_due bigint not null,
  created_at timestamptz not null,
  finalized_at timestamptz,
  hosted_url text,
  pdf_url text,
  held_reason text,
  primary key (customer_id, stripe_id)
);

create table billing.webhooks (
  id text primary key,
  type text not null,
  payload text not null check (payload in ('snapshot', 'thin')),
  body jsonb not null,
  object_id text,
  status text not null default 'received' check (status in ('received', 'processed', 'ignored', 'failed')),
  received_at timestamptz not null,
  processed_at timestamptz,
  attempts int not null default 0,
  error text
);
create index webhooks_by_time on billing.webhooks (received_at, id);
create index webhooks_unprocessed on billing.webhooks (received_at) where status in ('received', 'failed');

-- The first UUIDv7 of an instant: where a month's partition begins.
create function billing.first_id(at timestamptz) returns uuid language sql immutable strict as
$$ select (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid $$;

-- Takes a failed report's usage back among the unreported. Rollup first, then report: the order of every other writer.
create function billing.clear_report(of_customer uuid, report_id uuid) returns boolean language plpgsql as $$
declare
  failed billing.reports;
begin
  select * into failed from billing.reports where customer_id = of_customer and id = report_id;
  if not found then return false; end if;
  perform 1 from billing.rollups
  where customer_id = of_customer and subscription_id = failed.subscription_id
    and meter = failed.meter and since = failed.since
  for update;
  update billing.reports set status = 'cleared'
  where customer_id = of_customer and id = report_id and status in ('failed', 'unsure');
  if not found then return false; end if;
  update billing.rollups
  set reported = reported - failed.value, reported_events = reported_events - failed.events, due = true
  where customer_id = of_customer and subscription_id = failed.subscription_id
    and meter = failed.meter and since = failed.since;
  return true;
end $$;

-- The operator's table: an event with what became of it. Setting error_message to null makes its usage eligible again.
create view billing.billing_meter_events as
select
  event.id,
  event.key,
  meter.event_name as meter,
  event.customer_id,
  event.subscription_id,
  event.quantity,
  event.occurred_at as "timestamp",
  event.recorded_at,
  case
    when void.id is not null then 'void'
    when coalesce(segment.kind, 'free') <> 'billable' then 'free'
    when report.status = 'accepted' then 'processed'
    when report.status in ('failed', 'unsure') then 'failed'
    else 'pending'
  end as status,
  coalesce(report.late, false) as late,
  case when report.status = 'accepted' then report.accepted_at end as processed_at,
  case when report.status in ('failed', 'unsure') then report.error end as error_message,
  event.properties,
  report.id as report_id
from billing.meter_events as event
join billing.meters as meter on meter.id = event.meter
left join billing.event_voids as void on void.customer_id = event.customer_id and void.id = event.id
left join lateral (
  select kind, starts_at from billing.segments
  where customer_id = event.customer_id and subscription_id = event.subscription_id
    and starts_at <= event.occurred_at
  order by starts_at desc limit 1
) as segment on true
left join billing.rollups as rollup
  on rollup.customer_id = event.customer_id and rollup.subscription_id = event.subscription_id
  and rollup.meter = event.meter
  and rollup.since = greatest(date_trunc('hour', event.occurred_at, 'UTC'), segment.starts_at)
left join lateral (
  -- the first report written after the event; an event recorded after the last one is in it all the same
  -- once its rollup owes nothing (its transaction began before, and committed after)
  select id, status, late, accepted_at, error from billing.reports
  where customer_id = event.customer_id and subscription_id = event.subscription_id
    and reports.meter = event.meter and since = rollup.since and reports.status <> 'cleared'
    and (written_at >= event.recorded_at or not rollup.due)
  order by written_at < event.recorded_at, abs(extract(epoch from written_at - event.recorded_at))
  limit 1
) as report on true;

create function billing.update_billing_meter_event() returns trigger language plpgsql as $$
begin
  if (to_jsonb(new) - 'error_message') <> (to_jsonb(old) - 'error_message') or new.error_message is not null then
    raise exception 'billing_meter_events: only error_message can be changed, and only to NULL (events are append-only)';
  end if;
  if old.error_message is not null then
    perform billing.clear_report(old.customer_id, old.report_id);
  end if;
  return new;
end $$;

create trigger clear_error_message instead of update on billing.billing_meter_events
for each row execute function billing.update_billing_meter_event();
