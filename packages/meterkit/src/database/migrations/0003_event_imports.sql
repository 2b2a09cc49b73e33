-- Files of events that were imported, each applied as one batch.
create table billing.event_imports (
  id uuid primary key,
  name text not null,                         -- of the file, for people
  digest text not null,                       -- SHA-256 of its content: the same content is imported once
  format text not null check (format in ('csv', 'jsonl')),
  lines int not null,                         -- events in the file
  events int not null,                        -- stored by it: less those that were there already
  imported_by text not null,
  imported_at timestamptz not null default now(),
  reverted_at timestamptz,                    -- once all of its events are void
  reverted_by text,
  revert_reason text
);
-- A reverted file may be imported again.
create unique index event_imports_by_content on billing.event_imports (digest) where reverted_at is null;

-- What a batch stored, so that it can be taken back.
create table billing.import_events (
  customer_id uuid not null,
  import_id uuid not null,
  event_id uuid not null,
  primary key (customer_id, import_id, event_id)
);
create index import_events_by_import on billing.import_events (import_id, event_id);
