-- Comparisons of our reports with Stripe's summaries, as administrators have asked for them. The last few are kept.
create table app.reconciliations (
  id uuid primary key,
  asked_by text not null,
  at timestamptz not null,
  since timestamptz not null,
  customer_id uuid,                           -- null: all
  customer_name text,
  status text not null check (status in ('queued', 'running', 'done', 'mending', 'mended', 'failed')),
  done int not null default 0,
  total int not null default 0,
  found int not null default 0,
  moved_at timestamptz not null default clock_timestamp(), -- one that does not move any more was cut short
  result jsonb,
  mended jsonb,
  error text
);
create index reconciliations_by_time on app.reconciliations (at desc);
