-- Usage that a cut moved to the other side of its hour is no usage taken back: told apart since the last report was written.
alter table billing.rollups add column moved numeric not null default 0;
