import type { Sample } from './range-view.ts';
import type { BackfillState } from './states.ts';

/** A backfill that is not done, as the reading of the journal shows it. */
export interface OpenBackfill {
  readonly id: string;
  readonly state: BackfillState;
  readonly checksum: string;
  readonly hold: boolean;
  /** Whether its migration counts as applied: when it was enqueued, or, if the deploy waits for it, when it was done. */
  readonly claimed: boolean;
  /** Its set of rows was captured: then the rows that it has changed cannot be told from the others. */
  readonly captured: boolean;
  readonly reason: string | null;
  /** Rows that there are to look at, as far as is known. */
  readonly total: number | null;
  readonly scanned: number;
  readonly ranges: number;
  readonly ended: number;
  /** First and last sample of each range that was worked on within the last minute. */
  readonly recent: readonly (readonly Sample[])[];
}

/** Range `r` was worked on within the last minute, by the database's clock: what is older tells nothing of the rate. */
const FRESH = `pg_catalog.jsonb_array_length(r.recent) > 1
      and cast(r.recent -> -1 ->> 0 as numeric) > 1000.0 * cast(extract(epoch from pg_catalog.clock_timestamp() - interval '1 minute') as numeric)`;

const SPAN = 'pg_catalog.jsonb_build_array(r.recent -> 0, r.recent -> -1)';

/**
 * The first and the last sample of those ranges `r` from which a rate can be told: of ranges that are done only where no other
 * has any, because whoever worked on them has gone on to another one.
 */
export const RECENT = `coalesce(pg_catalog.jsonb_agg(${SPAN}) filter (where not r.ended and ${FRESH}),
    pg_catalog.jsonb_agg(${SPAN}) filter (where ${FRESH}), '[]')`;

/** Part of the one reading on which a run is built. */
export const OPEN_BACKFILLS = `select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'id', f.id, 'state', f.state, 'checksum', f.checksum, 'hold', f.hold, 'claimed', exists (
      select from forerun.migration m where m.history = f.history and m.id = f.id), 'captured', f.captured_at is not null, 'reason', f.reason, 'total', f.total,
    'scanned', coalesce(p.scanned, 0), 'ranges', coalesce(p.ranges, 0), 'ended', coalesce(p.ended, 0),
    'recent', coalesce(p.recent, '[]')) order by f.id), '[]')
  from forerun.backfill f left join lateral (
    select pg_catalog.sum(r.scanned) as scanned, pg_catalog.count(*) as ranges, pg_catalog.count(*) filter (where r.ended) as ended, ${RECENT} as recent
    from forerun.backfill_range r where r.history = f.history and r.backfill = f.id) p on true
  where f.history = :history and f.state <> 'succeeded'`;
