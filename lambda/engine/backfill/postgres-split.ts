import type { Statement } from '../ports.ts';
import type { Backfill, KeyColumn, KeyTexts } from './backfill.ts';
import { compared } from './key-conditions.ts';
import type { BackfillPlace } from './postgres-prepare.ts';
import { SAMPLED, SIZE } from './postgres-sample.ts';
import { leasePrefix, placeParameters } from './postgres-seat.ts';
import type { Taker } from './postgres-take.ts';
import { targetTable } from './postgres-target.ts';

/** A range with fewer batches left is not worth the calls of a split and of another sweep. */
const LEAST_BATCHES = 8;

/** Keys of the sample that are tried as the place of a split: the holder goes on while they travel. */
const TRIED_KEYS = 64;

/** What of a backfill is walked over: the table, or its frozen set. */
function sourceOf(place: BackfillPlace, { frozen, table }: Backfill, key: readonly KeyColumn[]) {
  return {
    source: frozen ? targetTable(place.history, place.backfill) : table,
    columns: key.map(({ column }, at) => (frozen ? `k${at}` : column)),
  };
}

const bound = (from: string, key: readonly KeyColumn[]): readonly string[] =>
  key.map(({ type }, at) => `cast(${from} ->> ${at} as ${type})`);

/** What is split, and where it may be. */
export interface Split extends Largest {
  /** The backfill's, as it was when there were fewer at work on it than may be. */
  readonly version: string;
}

/** What became of it. */
export interface SplitEnd {
  /** The new range; null where none was made. */
  readonly range: number | null;
  /** Somebody else's bid or split came first. */
  readonly outbid: boolean;
}

/** The range with the most left to do, and keys of it in their order. */
export interface Largest {
  readonly range: number;
  readonly keys: readonly KeyTexts[];
}

/** Looks for the range with the most left to do, by a sample of real keys; no row where none is worth a split. */
export function largestRange(place: BackfillPlace, spec: Backfill, key: readonly KeyColumn[]): Statement {
  const { source, columns } = sourceOf(place, spec, key);
  const names = key.map((_, at) => `f${at}`);
  const lower = key.map((_, at) => `l${at}`);
  const upper = key.map((_, at) => `u${at}`);
  const bounds = [
    ...bound('cursor_key', key).map((value, at) => `${value} as ${lower[at]}`),
    ...bound('upper_key', key).map((value, at) => `${value} as ${upper[at]}`),
  ];
  return {
    sql: `/* forerun ${place.backfill} */ with ${SIZE}, forerun_open as materialized (
  select number, batch_rows, cursor_key is null as from_start, upper_key is null as to_end, ${bounds.join(', ')}
  from forerun.backfill_range where history = :history and backfill = :backfill and not ended
), forerun_sampled as materialized (
  select ${columns.map((column, at) => `${column} as ${names[at]}`).join(', ')} from ${source} ${SAMPLED}
), forerun_found as materialized (
  select o.number, o.batch_rows, pg_catalog.jsonb_build_array(${names.map((name) => `cast(s.${name} as text)`).join(', ')}) as key,
    pg_catalog.row_number() over (partition by o.number order by ${names.map((name) => `s.${name}`).join(', ')}) as at,
    pg_catalog.count(*) over (partition by o.number) as keys
  from forerun_open o join forerun_sampled s
    on (o.from_start or ${compared(of('s', names), '>', of('o', lower))}) and (o.to_end or ${compared(of('s', names), '<=', of('o', upper))})
), forerun_largest as (
  select number, keys from forerun_found
  where at = 1 and cast(keys * 100 as numeric) >= cast(${LEAST_BATCHES} * batch_rows as numeric) * (select percent from forerun_size)
  order by keys desc, number limit 1
)
select pg_catalog.jsonb_build_object('range', number, 'keys', pg_catalog.jsonb_agg(key order by at)) as answer
from forerun_found join forerun_largest using (number, keys) where at % greatest(1, keys / ${TRIED_KEYS}) = 0 group by number`,
    parameters: { history: place.history, backfill: place.backfill, source },
  };
}

const of = (table: string, names: readonly string[]): readonly string[] =>
  names.map((name) => `${table}.${name}`);

/** How long a split waits for the batch under way, in milliseconds: a batch of more than five times the target is an alarm. */
const PATIENCE_MS = 5_000;

/**
 * Cuts what is left of a range in two and takes the second half. It waits at the range's lease for the batch under way and reads
 * the range as that left it, then cuts beyond its cursor. It raises the revision as a batch does, so that whatever was
 * prepared within the old bounds counts no more. Where somebody has bid for a range meanwhile it does nothing, because there may be
 * as many at work by now as may be. Statements lock backfill, lease and range in this order.
 *
 * The new half has the pass and the horizon of the whole: a sweep goes on as two sweeps. Rows that are to be read again stay
 * with the first half; they are named by their keys, wherever these lie.
 */
export function splitRange(
  taker: Taker,
  { range, keys, version }: Split,
  spec: Backfill,
  key: readonly KeyColumn[],
): Statement {
  const { source, columns } = sourceOf(taker, spec, key);
  const names = key.map((_, at) => `f${at}`);
  // A null of the column brings its collation along, by which the keys are ordered.
  const shaped = bound('e.key', key).map(
    (value, at) => `coalesce(forerun_shape.${names[at]}, ${value}) as ${names[at]}`,
  );
  const beyond = compared(names, '>', bound('h.cursor_key', key));
  const within = `${compared(names, '<=', bound('h.upper_key', key))} and e_key <> h.upper_key`;
  return {
    sql: `/* forerun ${taker.backfill} */ with forerun_patience as materialized (
  select pg_catalog.set_config('lock_timeout', '${PATIENCE_MS}ms', true) as lock_timeout
), forerun_numbered as materialized (
  update forerun.backfill b set ranges = b.ranges + 1 from forerun_patience
  where b.history = :history and b.id = :backfill and b.state = 'running' and b.checksum = :checksum
    and b.xmin = cast(:version as xid)
  returning b.history, b.id, b.ranges as number
), forerun_leased as materialized (
  select l.history, l.name from forerun_numbered n join forerun.lease l on l.history = n.history and l.name = :lease
  for update of l
), forerun_held as materialized (
  select r.* from forerun_leased d join forerun.backfill_range r
    on r.history = d.history and r.backfill = :backfill and r.number = :range and not r.ended
  for update of r
), forerun_tried as (
  select e.key as e_key, e.at, ${shaped.join(', ')}
  from pg_catalog.jsonb_array_elements(cast(:keys as jsonb)) with ordinality as e (key, at)
  left join (select ${columns.map((column, at) => `${column} as ${names[at]}`).join(', ')} from ${source} limit 0) as forerun_shape on true
), forerun_fitting as (
  select e_key, pg_catalog.row_number() over (order by t.at) as at, pg_catalog.count(*) over () as keys from forerun_tried t, forerun_held h
  where (h.cursor_key is null or ${beyond}) and (h.upper_key is null or (${within}))
), forerun_edge as materialized (
  select e_key as key from forerun_fitting where at = (keys + 1) / 2
), forerun_cut as (
  update forerun.backfill_range r set upper_key = e.key from forerun_held h, forerun_edge e
  where r.history = h.history and r.backfill = h.backfill and r.number = h.number
  returning r.number
), forerun_fenced as (
  update forerun.lease l set revision = l.revision + 1 from forerun_leased d, forerun_cut
  where l.history = d.history and l.name = d.name
), forerun_placed as (
  insert into forerun.backfill_range (history, backfill, number, lower_key, cursor_key, upper_key, pass, horizon, batch_rows)
  select h.history, h.backfill, n.number, e.key, e.key, h.upper_key, h.pass, h.horizon, h.batch_rows
  from forerun_cut, forerun_numbered n, forerun_held h, forerun_edge e
  returning history, number
), forerun_taken as (
  insert into forerun.lease (history, name, token, holder, acquired_at, expires_at)
  select history, :leases || cast(number as text), 1, :worker, pg_catalog.clock_timestamp(),
         pg_catalog.clock_timestamp() + cast(:lease_ms as double precision) * interval '1 millisecond' from forerun_placed
  on conflict (history, name) do update
    set token = forerun.lease.token + 1, holder = excluded.holder, acquired_at = excluded.acquired_at, expires_at = excluded.expires_at
)
select pg_catalog.jsonb_build_object('range', (select number from forerun_placed),
  'outbid', not exists (select from forerun_numbered)) as answer`,
    parameters: {
      ...placeParameters({ ...taker, range }),
      leases: leasePrefix(taker.backfill),
      worker: taker.worker,
      checksum: taker.checksum,
      version,
      lease_ms: BigInt(taker.leaseMs),
      keys: JSON.stringify(keys),
    },
  };
}
