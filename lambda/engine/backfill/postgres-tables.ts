const BACKFILL_TABLES = `
  create table if not exists forerun.backfill (
    history text not null,
    id text not null,
    checksum text not null,
    state text not null,
    hold boolean not null,
    pause_ms bigint not null,
    parallel bigint not null,
    ranges integer not null default 0,
    most_rows bigint,
    key jsonb,
    total bigint,
    reason text,
    enqueued_at timestamptz not null default pg_catalog.clock_timestamp(),
    captured_at timestamptz,
    prepared_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    primary key (history, id)
  );
  create table if not exists forerun.backfill_range (
    history text not null,
    backfill text not null,
    number integer not null,
    lower_key jsonb,
    upper_key jsonb,
    cursor_key jsonb,
    pass integer not null default 1,
    horizon text,
    ended boolean not null default false,
    redo jsonb not null default '[]',
    scanned bigint not null default 0,
    changed bigint not null default 0,
    left_rows bigint not null default 0,
    batches bigint not null default 0,
    batch_rows bigint not null,
    recent jsonb not null default '[]',
    pace jsonb not null default '[]',
    stepped_at timestamptz,
    primary key (history, backfill, number)
  );
  create table if not exists forerun.backfill_event (
    id bigint generated always as identity primary key,
    history text not null,
    backfill text not null,
    at timestamptz not null default pg_catalog.clock_timestamp(),
    move text not null,
    from_state text,
    to_state text not null,
    reason text,
    by text,
    settings jsonb
  );
  create index if not exists backfill_event_by_backfill on forerun.backfill_event (history, backfill, id);`;

/** Called where a change leaves its own predicate true; the statement around it then leaves nothing. */
const REFUSE_ENDLESS = `
begin
  raise exception using errcode = 'ZF001', message = 'the change leaves its own where true';
end`;

/** SQLSTATE of `forerun.refuse_endless`; PostgreSQL itself uses no class that begins with Z. */
export const ENDLESS = 'ZF001';

/**
 * Lets the database stop the very statement that it is called in. A setting made while a statement runs comes too late for
 * it, because the clock for it is started before. But PostgreSQL works out a call that it holds to be immutable while it
 * plans, and between planning and running it looks once more whether there is a limit. It goes with the transaction, and a
 * shorter one of the role's own stays.
 */
const LIMIT_STATEMENT = `
declare was interval := cast(pg_catalog.current_setting('statement_timeout') as interval);
begin
  if was = interval '0' or was > cast(milliseconds as double precision) * interval '1 millisecond' then
    perform pg_catalog.set_config('statement_timeout', cast(milliseconds as text) || 'ms', true);
  end if;
  return true;
end`;

/** The journal's part for backfills; `literal` quotes a text as the place needs it in which this stands. */
export function backfillTables(literal: (text: string) => string): string {
  return `${BACKFILL_TABLES}
  create or replace function forerun.refuse_endless() returns boolean language plpgsql set search_path = pg_catalog as ${literal(REFUSE_ENDLESS)};
  create or replace function forerun.limit_statement(milliseconds integer) returns boolean language plpgsql immutable set search_path = pg_catalog as ${literal(LIMIT_STATEMENT)};`;
}
