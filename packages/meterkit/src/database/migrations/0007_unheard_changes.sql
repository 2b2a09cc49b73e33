-- A change asked for and not answered: each sync looks for them.
create index subscriptions_changing on billing.subscriptions (customer_id) where changing_at is not null;

-- A change made at Stripe and not heard of: what Stripe took after it had priced a segment is on no invoice.
alter table billing.reports
  add column received_at timestamptz, -- when Stripe took it, by its own clock; null where its answer was lost
  add column unbilled boolean not null default false; -- Stripe counts it and bills it never: cleared, and reported anew

-- How long ago a report was first sent, by one clock for all workers.
alter table billing.reports add column first_sent_at timestamptz;
