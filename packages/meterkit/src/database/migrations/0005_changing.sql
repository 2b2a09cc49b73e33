-- A change was asked of Stripe then, a switch or a cancellation, and its outcome is not known: nothing is reported meanwhile.
alter table billing.subscriptions rename column switching_at to changing_at;
