import { JOURNAL_VERSION } from './journal.ts';
import { backfillTables } from './backfill/postgres-tables.ts';
import { runStatementFunction } from './postgres-run-statement.ts';

/** The tool's name on a phone's keypad: two installers of one journal meet at this number. */
const FORERUN_ON_A_KEYPAD = 3673786;

/**
 * They are installed together; where some are gone, somebody has taken them away. Only `migration` can be told again: the
 * events say what it held, so the plan refuses and `repair` brings its rows back.
 */
const CORE_TABLES = ['installation', 'lease', 'migration', 'run', 'event', 'statement', 'repeatable'];

/** Our own SQLSTATE, of a class that PostgreSQL does not use. */
export const TORN_JOURNAL = 'FR001';

/**
 * One statement with an advisory transaction lock, so that twins come one after the other. It is a `do` block in single
 * quotes: a `do` block takes no parameters, and the service's treatment of dollar quotes is not documented.
 */
export function installation(history: string): string {
  const body = `
declare
  v_missing text;
  v_some boolean;
begin
  perform pg_catalog.pg_advisory_xact_lock(${FORERUN_ON_A_KEYPAD});
  select pg_catalog.string_agg(name, ', ') filter (where name <> 'migration' and pg_catalog.to_regclass('forerun.' || name) is null),
         pg_catalog.bool_or(pg_catalog.to_regclass('forerun.' || name) is not null)
  into v_missing, v_some
  from pg_catalog.unnest(cast('{${CORE_TABLES.join(',')}}' as text[])) as name;
  if v_some and v_missing is not null then
    raise exception 'the journal has lost its tables %', v_missing using errcode = '${TORN_JOURNAL}';
  end if;
  create schema if not exists forerun;
  create table if not exists forerun.installation (
    version integer primary key,
    installed_at timestamptz not null default pg_catalog.clock_timestamp()
  );
  create table if not exists forerun.lease (
    history text not null,
    name text not null,
    token bigint not null default 0,
    revision bigint not null default 0,
    holder text,
    owner text,
    deploy_id text,
    acquired_at timestamptz,
    expires_at timestamptz,
    primary key (history, name)
  );
  create table if not exists forerun.migration (
    history text not null,
    id text not null,
    checksum text not null,
    after jsonb not null,
    compatible boolean,
    skipped boolean not null default false,
    applied_at timestamptz not null default pg_catalog.clock_timestamp(),
    run_id text not null,
    deploy_id text,
    primary key (history, id)
  );
  create table if not exists forerun.repeatable (
    history text not null,
    id text not null,
    checksum text not null,
    applied_at timestamptz not null default pg_catalog.clock_timestamp(),
    run_id text not null,
    deploy_id text,
    primary key (history, id)
  );
  create table if not exists forerun.run (
    id text primary key,
    history text not null,
    key text,
    action text not null,
    owner text,
    deploy_id text,
    asked_at bigint,
    commit_id text,
    asked_by text,
    asked_through text,
    digest text not null,
    started_at timestamptz not null default pg_catalog.clock_timestamp(),
    finished_at timestamptz,
    outcome text,
    result jsonb
  );
  create index if not exists run_by_key on forerun.run (history, key, started_at);
  create index if not exists run_by_start on forerun.run (history, started_at);
  create table if not exists forerun.event (
    id bigint generated always as identity primary key,
    history text not null,
    at timestamptz not null default pg_catalog.clock_timestamp(),
    run_id text not null,
    kind text not null,
    migration text
  );
  create index if not exists event_by_run on forerun.event (history, run_id);
  create table if not exists forerun.statement (
    history text not null,
    migration text not null,
    direction text not null,
    number integer not null,
    digest text not null,
    state text not null,
    run_id text not null,
    affected bigint not null default 0,
    started_at timestamptz not null default pg_catalog.clock_timestamp(),
    finished_at timestamptz,
    sqlstate text,
    facts text,
    primary key (history, migration, direction, number)
  );
  ${backfillTables(literal)}
  ${runStatementFunction(literal)};
  insert into forerun.installation (version) select ${JOURNAL_VERSION}
    where not exists (select 1 from forerun.installation);
  insert into forerun.lease (history, name, token) values (${literal(history)}, ${literal('run')},
    cast(cast(extract(epoch from pg_catalog.clock_timestamp()) as numeric) * 1000.0 as bigint)) on conflict do nothing;
end`;
  return `do ${literal(body)}`;
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
