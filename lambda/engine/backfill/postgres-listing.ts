import type { Statement } from '../ports.ts';
import { RECENT } from './open-backfill.ts';
import { LEASE_OF_R } from './postgres-seat.ts';

/** Backfills that a list shows; it says how many more there are. */
const LISTED = 50;
/** Events and ranges that a list shows of each backfill, and one backfill in detail. */
const EVENTS = 3;
const EVENTS_IN_DETAIL = 50;
const RANGES = 8;
const RANGES_IN_DETAIL = 100;
/** Points that one backfill's batches are put together in. */
const POINTS = 200;

/**
 * Those that only a person helps come first, then those that are open, then the rest; among them the newest. What is cut off
 * is what nobody waits for.
 */
const ORDER = `case when b.state in ('paused', 'failed') then 0 when b.state in ('enqueued', 'running') then 1 else 2 end,
    coalesce(b.finished_at, b.enqueued_at) desc, b.id desc`;

/** The ranges of backfill `b`: whether a worker alive holds one, and whether one waits for transactions that are still open. */
const RANGES_OF = `(select r.*,
      exists (select from forerun.lease l where l.history = r.history and l.name = ${LEASE_OF_R}
              and l.holder is not null and l.expires_at >= pg_catalog.clock_timestamp()) as held,
      not r.ended and coalesce(pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) < cast(r.horizon as pg_catalog.xid8), false) as waits
    from forerun.backfill_range r where r.history = b.history and r.backfill = b.id) as r`;

/** The newest events of backfill `b`. */
const eventsOf = (most: number): string => `coalesce((
    select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('at', e.at, 'move', e.move, 'from', e.from_state,
      'to', e.to_state, 'reason', e.reason, 'by', e.by, 'settings', e.settings) order by e.id desc)
    from (select * from forerun.backfill_event where history = b.history and backfill = b.id order by id desc limit ${most}) as e), '[]')`;

/** Some ranges of backfill `b`, with the members of each; `first` tells which. */
const rangesOf = (members: string, where: string, first: string, most: number): string => `coalesce((
    select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('number', r.number, 'ended', r.ended, 'pass', r.pass, 'waits', r.waits,
      'scanned', r.scanned, 'changed', r.changed, 'batches', r.batches, 'batchRows', r.batch_rows${members}) order by r.number)
    from (select * from ${RANGES_OF} where ${where} order by ${first} limit ${most}) as r), '[]')`;

/** How the batches of backfill `b` went, on all ranges in the order of time; neighbours are one point where there are too many. */
const PACE = `coalesce((
    select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(g.at, g.batches, g.rows, g.milliseconds) order by g.at)
    from (select pg_catalog.min(q.at) as at, pg_catalog.sum(q.batches) as batches, pg_catalog.sum(q.rows) as rows,
            pg_catalog.sum(q.milliseconds) as milliseconds
          from (select cast(e.point ->> 0 as numeric) as at, cast(e.point ->> 1 as numeric) as batches,
                  cast(e.point ->> 2 as numeric) as rows, cast(e.point ->> 3 as numeric) as milliseconds,
                  pg_catalog.ntile(${POINTS}) over (order by cast(e.point ->> 0 as numeric)) as part
                from forerun.backfill_range r cross join lateral pg_catalog.jsonb_array_elements(r.pace) as e (point)
                where r.history = b.history and r.backfill = b.id) as q
          group by q.part) as g), '[]')`;

const backfillOf = (ranges: string, events: number): string => `pg_catalog.jsonb_build_object(
  'id', b.id, 'state', b.state, 'hold', b.hold, 'reason', b.reason, 'total', b.total,
  'enqueuedAt', b.enqueued_at, 'startedAt', b.started_at, 'finishedAt', b.finished_at,
  'pauseMs', b.pause_ms, 'mostRows', b.most_rows, 'parallel', b.parallel,
  'scanned', coalesce(p.scanned, 0), 'changed', coalesce(p.changed, 0), 'recent', p.recent,
  'rangeCount', p.ranges, 'rangesEnded', p.ended, 'rangesHeld', p.held, 'waits', coalesce(p.waits, false), 'sweeps', coalesce(p.sweeps, false),
  'ranges', ${ranges},
  'events', ${eventsOf(events)})`;

/** All ranges of backfill `b` together. */
const TOGETHER = `lateral (
  select pg_catalog.sum(r.scanned) as scanned, pg_catalog.sum(r.changed) as changed, pg_catalog.count(*) as ranges,
    pg_catalog.count(*) filter (where r.ended) as ended, pg_catalog.count(*) filter (where r.held) as held,
    pg_catalog.bool_and(r.waits) filter (where not r.ended) as waits,
    pg_catalog.bool_and(r.pass > 1) filter (where not r.ended) as sweeps, ${RECENT} as recent
  from ${RANGES_OF}) as p`;

/**
 * The backfills of a history, or those of these names, with how far they are. What it answers with is bounded, however many
 * there are and however many ranges they have.
 */
export const listBackfills = (history: string, only: readonly string[] | null): Statement => ({
  sql: `with forerun_asked as materialized (
  select b.* from forerun.backfill b where b.history = :history
    and (cast(:only as jsonb) is null or b.id in (select pg_catalog.jsonb_array_elements_text(cast(:only as jsonb))))
), forerun_listed as materialized (
  select b.* from forerun_asked b order by ${ORDER} limit ${LISTED}
)
select pg_catalog.jsonb_build_object(
  'all', (select pg_catalog.count(*) from forerun_asked),
  'stopped', (select pg_catalog.count(*) from forerun.backfill b where b.history = :history and b.state in ('paused', 'failed')),
  'backfills', coalesce((
    select pg_catalog.jsonb_agg(${backfillOf(
      rangesOf(
        '',
        `not r.ended and b.state not in ('succeeded', 'cancelled')`,
        'r.held desc, r.scanned > 0 desc, r.number',
        RANGES,
      ),
      EVENTS,
    )} order by ${ORDER})
    from forerun_listed b cross join ${TOGETHER}), '[]')) as answer`,
  parameters: { history, only: only === null ? null : JSON.stringify(only) },
});

/** One backfill with its ranges, its batches and what happened to it. */
export const showBackfill = (history: string, backfill: string): Statement => ({
  sql: `select ${backfillOf(
    rangesOf(`, 'cursor', r.cursor_key, 'upper', r.upper_key`, 'true', 'r.ended, r.number', RANGES_IN_DETAIL),
    EVENTS_IN_DETAIL,
  )} || pg_catalog.jsonb_build_object('pace', ${PACE}) as answer
from forerun.backfill b cross join ${TOGETHER} where b.history = :history and b.id = :backfill`,
  parameters: { history, backfill },
});

/** Names of the backfills on which a worker may work, in the order in which they were enqueued. */
export const openBackfills = (history: string): Statement => ({
  sql: `select coalesce(pg_catalog.jsonb_agg(b.id order by b.enqueued_at, b.id), '[]') as answer
from forerun.backfill b where b.history = :history and b.state in ('enqueued', 'running')`,
  parameters: { history },
});
