-- Usage taken back after Stripe has priced it: given back in money, as an invoice item at the price it was billed at.
alter table billing.reports
  add column kind text not null default 'usage' check (kind in ('usage', 'credit')),
  add column priced_in timestamptz,           -- of a credit: where the segment that had billed the usage starts
  add column amount bigint,                   -- of a credit: minor units, negative, or 0 where the usage made no difference
  add column currency text,
  add constraint credits_are_priced
    check ((kind = 'credit') = (priced_in is not null and amount is not null and currency is not null));
create index reports_credits on billing.reports (customer_id, subscription_id) where kind = 'credit';
