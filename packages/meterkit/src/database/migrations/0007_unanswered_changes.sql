-- Each sync looks for them.
create index subscriptions_changing on billing.subscriptions (customer_id) where changing_at is not null;
