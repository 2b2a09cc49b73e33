import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

const SCHEMA = /* sql */ `
  create table if not exists settings (name text primary key, value text not null) without rowid;

  -- Every API object, as JSON; keys that begin with an underscore never leave the house. What lists are asked by stands in
  -- columns of its own beside the JSON, so that a save that changes none of it touches no index.
  create table if not exists objects (
    seq integer primary key,
    id text not null unique,
    type text not null,
    created integer not null,
    data text not null,
    customer text,
    subscription text,
    invoice text,
    parent text,
    payment_intent text,
    email text,
    clock text,
    status text
  );
  create index if not exists objects_by_age on objects (type, seq, created);
  create index if not exists objects_by_clock on objects (type, clock, seq, created);
  create index if not exists objects_by_status on objects (type, status, seq) where status is not null;
  create index if not exists objects_by_customer on objects (type, customer, seq) where customer is not null;
  create index if not exists objects_by_subscription on objects (type, subscription, seq) where subscription is not null;
  create index if not exists objects_by_invoice on objects (type, invoice, seq) where invoice is not null;
  create index if not exists objects_by_parent on objects (type, parent, seq) where parent is not null;
  create index if not exists objects_by_intent on objects (type, payment_intent) where payment_intent is not null;
  create index if not exists objects_by_email on objects (type, email, seq) where email is not null;
  create index if not exists objects_by_folded_email on objects (type, lower(email), seq) where email is not null;
  create index if not exists customers_by_name on objects (lower(data ->> '$.name')) where type = 'customer';

  -- Meter events are many and never listed by the API: they have a table of their own.
  create table if not exists meter_events (
    seq integer primary key autoincrement,
    identifier text not null,
    event_name text not null,
    meter text,
    customer text,
    value text not null,
    timestamp integer not null,
    received_ms integer not null,
    -- pending: accepted, not yet seen by summaries; counted; cancelling: still counted; rejected; cancelled
    state text not null,
    rejection text,
    counted_ms integer
  );
  create index if not exists meter_events_by_identifier on meter_events (identifier, seq);
  create index if not exists meter_events_by_usage on meter_events (meter, customer, timestamp);
  create index if not exists meter_events_waiting on meter_events (seq) where state in ('pending', 'cancelling');
  create index if not exists meter_events_out on meter_events (state, seq) where state in ('rejected', 'cancelled');

  -- Counted usage by hour, so that a month is at most 744 rows. sum is exact, in units of 10^-12.
  create table if not exists usage_hours (
    meter text not null,
    customer text not null,
    hour integer not null,
    sum text not null,
    count integer not null,
    primary key (meter, customer, hour)
  ) without rowid;

  create table if not exists event_log (
    seq integer primary key,
    id text not null unique,
    form text not null,            -- snapshot | thin
    type text not null,
    created integer not null,
    object_id text,
    api_version text,
    shown integer,                 -- the event that showed the same object before, and keeps it
    object text,                   -- what a snapshot event shows, if it is the first to
    rest text not null             -- a snapshot event's JSON after its object, '' for the usual; a thin event's whole JSON
  );
  -- Lists of all types walk along seq; a type belongs to one form only, and thin events are few.
  drop index if exists event_log_by_type;
  create index if not exists events_by_type on event_log (type, seq);
  create index if not exists events_thin on event_log (seq) where form = 'thin';
  drop view if exists events;
  create view events as
    select seq, id, form, type, created, object_id,
      case when form = 'thin' then rest else
        '{"id":"' || id || '","object":"event","api_version":"' || api_version || '","created":' || created
        || ',"data":{"object":' || coalesce(object, (select object from event_log as first where first.seq = event_log.shown))
        || case rest when '' then
          '},"livemode":false,"pending_webhooks":0,"request":{"id":null,"idempotency_key":null},"type":"' || type || '"}'
        else rest end
      end as data
    from event_log;

  create table if not exists deliveries (
    seq integer primary key autoincrement,
    id text not null unique,
    event text not null,
    event_type text not null,
    endpoint text not null,
    url text not null,
    state text not null,           -- pending | delivered | failed
    created_ms integer not null,
    next_attempt_ms integer,
    attempts text not null
  );
  create index if not exists deliveries_by_event on deliveries (event, state);
  create index if not exists deliveries_fresh on deliveries (seq) where state = 'pending' and next_attempt_ms is null;
  create index if not exists deliveries_failed on deliveries (seq) where state = 'failed';

  create table if not exists idempotency_keys (
    key text primary key,
    fingerprint text not null,
    status integer not null,
    body text not null,
    created_ms integer not null
  ) without rowid;

  -- What has to happen when: one row per thing. clock '' is the local Stripe's own time.
  create table if not exists due (
    kind text not null,
    id text not null,
    clock text not null,
    at_ms integer not null,
    primary key (kind, id)
  ) without rowid;
  create index if not exists due_by_time on due (clock, at_ms);
`

/** The layout of state files; one of another layout is not opened. */
const LAYOUT = 1
/** Larger, the write-ahead log is cut back to this after its pages went into the file. */
const LOG_BYTES_MAX = 16 * 1024 * 1024
const CACHE_KIB = 64 * 1024
/** A request changes a few pages, and a file's log takes them whole; in memory large ones waste less and are fewer to keep. */
const FILE_PAGE_BYTES = 8192
const MEMORY_PAGE_BYTES = 32_768
/** For one that is being restarted. */
const LOCK_WAIT_MS = 1000

export type Row = { [column: string]: string | number | null }

/** Who holds back writes (see objects.ts) is told of transactions, and before anybody else reads or writes its table. */
export interface WriteBehind {
  /** Writes what was held back. */
  flush(): void
  began(): void
  committed(): void
  rolledBack(): void
}
type Prepared = { statement: StatementSync; isOfObjects: boolean }

/** SQLite with its statements kept prepared, and transactions that nest. All of it is synchronous. */
export class Database {
  readonly #lock: DatabaseSync | null
  readonly #sqlite: DatabaseSync
  readonly #statements = new Map<string, Prepared>()
  #behind: WriteBehind | undefined
  #depth = 0
  #turn = 0
  /** The level at which a rehearsal is under way that has written nothing yet. */
  #unmarked: number | null = null
  #rehearsals = 0

  /** @throws Error when another process has the file, or a version with another layout made it */
  constructor(file: string) {
    this.#lock = file === ':memory:' ? null : lockFor(file)
    this.#sqlite = new DatabaseSync(file)
    const pageBytes = file === ':memory:' ? MEMORY_PAGE_BYTES : FILE_PAGE_BYTES
    // In WAL mode a killed process loses nothing that was committed; only a power cut could.
    this.#sqlite.exec(`pragma page_size = ${pageBytes}; pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 2000;
      pragma journal_size_limit = ${LOG_BYTES_MAX}; pragma cache_size = -${CACHE_KIB}; pragma temp_store = memory`)
    this.#checkLayout(file)
    this.#sqlite.exec(SCHEMA)
    this.#sqlite.exec(`pragma user_version = ${LAYOUT}`)
  }

  get isInTransaction(): boolean {
    return this.#depth > 0
  }

  get isRehearsing(): boolean {
    return this.#rehearsals > 0
  }

  /** Another number after each beginning and each rollback: what was learnt of the state under the same one still holds. */
  get turn(): number {
    return this.#turn
  }

  writesBehind(behind: WriteBehind): void {
    this.#behind = behind
  }

  /** @returns how many rows changed, and the number of the row that was inserted last */
  run(sql: string, ...values: SQLInputValue[]): { changes: number; rowid: number } {
    const statement = this.#ready(sql)
    this.willWrite()
    const { changes, lastInsertRowid } = statement.run(...values)
    return { changes: Number(changes), rowid: Number(lastInsertRowid) }
  }

  get<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#ready(sql).get(...values) as T | undefined
  }

  all<T = Row>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#ready(sql).all(...values) as T[]
  }

  /** For whoever writes behind: what was held back stays so. */
  statement(sql: string): StatementSync {
    return this.#prepared(sql).statement
  }

  /** All of `work` or none of it. Inside another transaction it is a savepoint. */
  transaction<T>(work: () => T): T {
    const depth = this.#depth
    if (depth > 0) {
      this.#behind?.flush()
      this.willWrite()
    }
    this.statement(depth === 0 ? 'begin immediate' : `savepoint level_${depth}`).run()
    this.#depth = depth + 1
    if (depth === 0) this.#turn += 1
    this.#behind?.began()
    try {
      const result = work()
      if (depth === 0) this.#behind?.flush()
      this.#depth = depth
      this.statement(depth === 0 ? 'commit' : `release level_${depth}`).run()
      this.#behind?.committed()
      return result
    } catch (error) {
      this.#depth = depth
      this.#turn += 1
      this.#behind?.rolledBack()
      if (depth > 0) this.statement(`rollback to level_${depth}`).run()
      this.statement(depth === 0 ? 'rollback' : `release level_${depth}`).run()
      throw error
    }
  }

  /** Does `work`, gives its result, and leaves no trace of it in the state. */
  rehearse<T>(work: () => T): T {
    if (this.#depth === 0) return this.transaction(() => this.rehearse(work))
    // Most of it happens in memory. The table is marked only if it comes to writing, and then rolled back.
    const level = this.#depth
    const outer = this.#unmarked
    this.#behind?.flush()
    this.#unmarked = level
    this.#depth = level + 1
    this.#rehearsals += 1
    this.#behind?.began()
    try {
      return work()
    } finally {
      this.#rehearsals -= 1
      this.#depth = level
      this.#behind?.rolledBack()
      if (this.#unmarked === null) {
        this.#turn += 1
        this.statement(`rollback to level_${level}`).run()
        this.statement(`release level_${level}`).run()
      }
      this.#unmarked = outer
    }
  }

  /** Before each write. */
  willWrite(): void {
    if (this.#unmarked === null) return
    this.statement(`savepoint level_${this.#unmarked}`).run()
    this.#unmarked = null
  }

  setting(name: string): string | undefined {
    return this.get<{ value: string }>('select value from settings where name = ?', name)?.value
  }

  writeSetting(name: string, value: string): void {
    this.run('insert into settings values (?, ?) on conflict (name) do update set value = excluded.value', name, value)
  }

  close(): void {
    this.#sqlite.close()
    this.#lock?.close()
  }

  #checkLayout(file: string): void {
    const { user_version: layout } = this.#sqlite.prepare('pragma user_version').get() as { user_version: number }
    const isNew = this.#sqlite.prepare(`select 1 from sqlite_schema where name = 'settings'`).get() === undefined
    if (isNew || layout === LAYOUT) return
    this.close()
    throw new Error(
      `stripe-local: ${file} was made by another version of stripe-local (layout ${layout}, this one reads ${LAYOUT}). Remove the file to begin anew, or name another one.`,
    )
  }

  #ready(sql: string): StatementSync {
    const { statement, isOfObjects } = this.#prepared(sql)
    if (isOfObjects) this.#behind?.flush()
    return statement
  }

  #prepared(sql: string): Prepared {
    let prepared = this.#statements.get(sql)
    if (!prepared) {
      prepared = { statement: this.#sqlite.prepare(sql), isOfObjects: /\bobjects\b/.test(sql) }
      this.#statements.set(sql, prepared)
    }
    return prepared
  }
}

/**
 * One process at a time: each remembers what it has read and written, and two would undo each other's work. The lock is
 * the operating system's, so a killed process leaves none.
 */
function lockFor(file: string): DatabaseSync {
  const lock = new DatabaseSync(`${file}-lock`)
  try {
    lock.exec(`pragma busy_timeout = ${LOCK_WAIT_MS}; begin exclusive`)
    return lock
  } catch (cause) {
    lock.close()
    throw new Error(
      `stripe-local: ${file} is in use by a stripe-local that runs. Stop that one, or give this one another file.`,
      { cause },
    )
  }
}
