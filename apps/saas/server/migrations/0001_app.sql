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

-- An organization keeps an owner, whichever two requests meet. The lock on its row lets one of them see the other.
create function app.keep_an_owner() returns trigger language plpgsql as $$
begin
  perform from auth.organization where id = old."organizationId" for update;
  if found and not exists (
    select from auth.member where "organizationId" = old."organizationId" and 'owner' = any (string_to_array(role, ','))
  ) then
    raise exception 'An organization keeps at least one owner.';
  end if;
  return null;
end $$;

create trigger keep_an_owner after update or delete on auth.member
  for each row when ('owner' = any (string_to_array(old.role, ','))) execute function app.keep_an_owner();
