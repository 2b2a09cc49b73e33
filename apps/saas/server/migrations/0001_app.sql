-- Mails of development, and of a production without a mail server: the mailbox page shows them.
create table app.mails (
  id bigint generated always as identity primary key,
  recipient text not null,
  subject text not null,
  body text not null,
  sent_at timestamptz not null default now()
);

-- Who did what to which object. Append-only; actor is null where the app itself acted.
create table app.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor_id uuid,
  -- The name at the time: it stays readable when the user has gone.
  actor_email text,
  action text not null,
  object text not null,
  detail jsonb not null default '{}'
);

create index audit_log_actor on app.audit_log (actor_id, id desc);
create index audit_log_action on app.audit_log (action, id desc);
