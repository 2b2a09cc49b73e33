-- Chats, each of one person at one payer: a member never sees another's, and what was asked for one organization
-- does not turn up in the next.
create table app.conversations (
  id uuid primary key,
  payer_source text not null check (payer_source in ('user', 'organization')),
  payer_id text not null,
  user_id uuid not null references auth."user" (id) on delete cascade,
  title text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index conversations_by_reader on app.conversations (user_id, payer_source, payer_id, updated_at desc);

-- The ids are the page's own. What an answer took is known when it has ended, in whatever way.
create table app.messages (
  conversation_id uuid not null references app.conversations (id) on delete cascade,
  id text not null,
  position bigint generated always as identity,
  role text not null check (role in ('user', 'assistant')),
  text text not null,
  at timestamptz not null,
  call_id uuid,
  model text,
  input_tokens bigint,
  output_tokens bigint,
  outcome text check (outcome in ('completed', 'stopped', 'failed')),
  cost bigint, -- what it added to the period, minor units; null where that is not known
  currency text,
  primary key (conversation_id, id)
);
create index messages_in_order on app.messages (conversation_id, position);
