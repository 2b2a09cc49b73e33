import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

const SCHEMA = /* sql */ `
  create table if not exists settings (name text primary key, value text not null) without rowid;

  -- Every API object, as JSON; keys that begin with an underscore never leave the house.
  create table if not exists objects (
    seq integer primary key autoincrement,
    id text not null unique,
    type text not null,
    created integer not null,
    data text not null
  );
  create index if not exists objects_by_type on objects (type, seq);
  create index if not exists objects_by_customer on objects (type, json_extract(data, '$.customer'), seq);
  create index if not exists objects_by_subscription on objects (type, json_extract(data, '$.subscription'), seq);
  create index if not exists objects_by_invoice on objects (type, json_extract(data, '$.invoice'), seq);
  create index if not exists objects_by_parent
    on objects (type, json_extract(data, '$.parent.subscription_details.subscription'), seq);

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
    -- pending: accepted, not yet seen by summaries; counted; rejected; cancelled
    state text not null,
    rejection text,
    counted_ms integer
  );
  create index if not exists meter_events_by_identifier on meter_events (identifier, seq);
  create index if not exists meter_events_by_usage on meter_events (meter, customer, timestamp);
  create index if not exists meter_events_pending on meter_events (seq) where state = 'pending';

  -- Counted usage by hour, so that a month is at most 744 rows. sum is exact, in units of 10^-12.
  create table if not exists usage_hours (
    meter text not null,
    customer text not null,
    hour integer not null,
    sum text not null,
    count integer not null,
    primary key (meter, customer, hour)
  ) without rowid;

  create table if not exists events (
    seq integer primary key autoincrement,
    id text not null unique,
    form text not null,            -- snapshot | thin
    type text not null,
    created integer not null,
    object_id text,
    data text not null
  );
  create index if not exists events_by_type on events (form, type, seq);

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
  create index if not exists deliveries_by_event on deliveries (event);
  create index if not exists deliveries_pending on deliveries (seq) where state = 'pending';

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

export type Row = { [column: string]: string | number | null }

/** SQLite with its statements kept prepared, and transactions that nest. All of it is synchronous. */
export class Database {
  readonly #sqlite: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #depth = 0

  constructor(file: string) {
    this.#sqlite = new DatabaseSync(file)
    // In WAL mode a killed process loses nothing that was committed; only a power cut could.
    this.#sqlite.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 2000')
    this.#sqlite.exec(SCHEMA)
  }

  run(sql: string, ...values: SQLInputValue[]): { changes: number } {
    return { changes: Number(this.#prepared(sql).run(...values).changes) }
  }

  get<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#prepared(sql).get(...values) as T | undefined
  }

  all<T = Row>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#prepared(sql).all(...values) as T[]
  }

  /** All of `work` or none of it. Inside another transaction it is a savepoint. */
  transaction<T>(work: () => T): T {
    const name = `level_${this.#depth}`
    this.#sqlite.exec(this.#depth === 0 ? 'begin immediate' : `savepoint ${name}`)
    this.#depth += 1
    try {
      const result = work()
      this.#depth -= 1
      this.#sqlite.exec(this.#depth === 0 ? 'commit' : `release ${name}`)
      return result
    } catch (error) {
      this.#depth = Math.max(0, Number(name.slice(6)))
      this.#sqlite.exec(this.#depth === 0 ? 'rollback' : `rollback to ${name}; release ${name}`)
      throw error
    }
  }

  /** Does `work`, gives its result, and leaves no trace of it in the state. */
  rehearse<T>(work: () => T): T {
    const outcome: { result?: T } = {}
    const undo = new Error('rehearsal')
    try {
      this.transaction(() => {
        outcome.result = work()
        throw undo
      })
    } catch (error) {
      if (error !== undo) throw error
    }
    return outcome.result as T
  }

  setting(name: string): string | undefined {
    return this.get<{ value: string }>('select value from settings where name = ?', name)?.value
  }

  writeSetting(name: string, value: string): void {
    this.run('insert into settings values (?, ?) on conflict (name) do update set value = excluded.value', name, value)
  }

  close(): void {
    this.#sqlite.close()
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#sqlite.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
