-- When Stripe priced a segment, by its own clock; null where we had reported all of it before, and where nobody knows.
-- For a short while 0007 made the column, so that it may be there.
alter table billing.segments add column if not exists priced_at timestamptz;
