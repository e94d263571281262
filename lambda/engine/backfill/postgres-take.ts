import type { Statement } from '../ports.ts';
import type { BackfillPlace } from './postgres-prepare.ts';
import { leasePrefix } from './postgres-seat.ts';
import type { BackfillState } from './states.ts';

/** Who looks for a range to work on. */
export interface Taker extends BackfillPlace {
  /** Of the file that the worker has. */
  readonly checksum: string;
  readonly worker: string;
  readonly leaseMs: number;
}

/** What there is to do. */
export interface Taken {
  readonly state: BackfillState;
  readonly reason: string | null;
  /** Whether the ranges are made. */
  readonly parallel: number;
  /** Ranges that are not done. */
  readonly open: number;
  /** Of these the ones that somebody else works on. */
  readonly busy: number;
  /** When the first of their leases runs out if its holder is dead, in milliseconds from now; null where nobody works. */
  readonly freeInMs: number | null;
  /** The range that is ours now; null where none is free, or as many are worked on already as may be. */
  readonly range: number | null;
  /** Somebody else's bid or split came first, so that what was counted here holds no more: the same bid again may succeed. */
  readonly outbid: boolean;
  /** Of the backfill's row; another one after each bid and each split. */
  readonly version: string;
  /** Rows there are to look at, and how many were looked at. */
  readonly total: number | null;
  readonly scanned: number;
}

/**
 * Takes a range that nobody alive works on and no older batch has open, first of all one that is the worker's own: the answer to
 * an earlier bid may have been lost. `parallel` is a limit for all workers together: a bid writes a new version of the backfill's
 * row, though with the same values, so that of two that have counted the same the second one sees it. It waits for nobody: a split
 * holds that row while it waits for a batch. A worker with an earlier file is told that its backfill was cancelled, which is how
 * another one could take its place.
 */
export const takeRange = (taker: Taker): Statement => ({
  sql: `with open as materialized (
  select l.history, l.name, r.number, l.expires_at,
    coalesce(l.holder <> :worker and l.expires_at >= pg_catalog.clock_timestamp(), false) as busy
  from forerun.backfill_range r join forerun.lease l on l.history = r.history and l.name = :leases || cast(r.number as text)
  where r.history = :history and r.backfill = :backfill and not r.ended
), worth as materialized (
  select history, id, xmin as version from forerun.backfill
  where history = :history and id = :backfill and state = 'running' and checksum = :checksum
    and parallel > (select pg_catalog.count(*) from open where busy) and exists (select from open where not busy)
), alone as materialized (
  select b.history, b.id from worth w join forerun.backfill b on b.history = w.history and b.id = w.id and b.xmin = w.version
  for update of b skip locked
), bid as materialized (
  update forerun.backfill b set ranges = b.ranges from alone a where b.history = a.history and b.id = a.id
  returning b.history, b.xmin as version
), free as (
  select l.history, l.name, open.number
  from bid join open on open.history = bid.history join forerun.lease l on l.history = open.history and l.name = open.name
  where l.holder is null or l.holder = :worker or l.expires_at < pg_catalog.clock_timestamp()
  order by l.holder = :worker desc nulls last, open.number limit 1
  for update of l skip locked
), taken as (
  update forerun.lease l
  set token = l.token + 1, holder = :worker, acquired_at = pg_catalog.clock_timestamp(),
      expires_at = pg_catalog.clock_timestamp() + cast(:lease_ms as double precision) * interval '1 millisecond'
  from free where l.history = free.history and l.name = free.name
  returning free.number
)
select pg_catalog.jsonb_build_object(
  'state', case when b.checksum = :checksum then b.state else 'cancelled' end, 'reason', b.reason, 'parallel', b.parallel,
  'open', (select pg_catalog.count(*) from open), 'busy', (select pg_catalog.count(*) from open where busy),
  'freeInMs', (select pg_catalog.ceil(1000.0 * cast(extract(epoch from pg_catalog.min(expires_at) - pg_catalog.clock_timestamp()) as numeric)) from open where busy),
  'range', (select number from taken), 'outbid', exists (select from worth) and not exists (select from bid),
  'version', cast(coalesce((select version from bid), b.xmin) as text), 'total', b.total,
  'scanned', (select coalesce(pg_catalog.sum(r.scanned), 0) from forerun.backfill_range r
              where r.history = b.history and r.backfill = b.id)) as answer
from forerun.backfill b where b.history = :history and b.id = :backfill`,
  parameters: {
    history: taker.history,
    backfill: taker.backfill,
    checksum: taker.checksum,
    leases: leasePrefix(taker.backfill),
    worker: taker.worker,
    lease_ms: BigInt(taker.leaseMs),
  },
});
