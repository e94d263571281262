import type { Statement } from '../ports.ts';
import { RECENT } from './open-backfill.ts';

/** Events that a listing shows of each backfill, and one backfill in detail. */
const EVENTS = 3;
const EVENTS_IN_DETAIL = 50;

/** Every backfill of a history with its progress, or one with its batches too. */
export const listBackfills = (history: string, backfill: string | null): Statement => ({
  sql: `select pg_catalog.jsonb_build_object(
  'id', b.id, 'state', b.state, 'hold', b.hold, 'reason', b.reason, 'total', b.total,
  'enqueuedAt', b.enqueued_at, 'startedAt', b.started_at, 'finishedAt', b.finished_at,
  'pauseMs', b.pause_ms, 'mostRows', b.most_rows, 'parallel', b.parallel,
  'ranges', coalesce((select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('number', r.number, 'ended', r.ended, 'pass', r.pass,
      'scanned', r.scanned, 'changed', r.changed, 'batches', r.batches, 'batchRows', r.batch_rows, 'cursor', r.cursor_key, 'upper', r.upper_key) order by r.number)
    from forerun.backfill_range r where r.history = b.history and r.backfill = b.id), '[]'),
  'recent', (select ${RECENT} from forerun.backfill_range r where r.history = b.history and r.backfill = b.id),
  'pace', (select pg_catalog.jsonb_agg(r.pace order by r.number) from forerun.backfill_range r
    where r.history = b.history and r.backfill = cast(:backfill as text) and r.backfill = b.id),
  'events', coalesce((select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('at', e.at, 'move', e.move, 'from', e.from_state,
      'to', e.to_state, 'reason', e.reason, 'by', e.by, 'settings', e.settings) order by e.id desc)
    from (select * from forerun.backfill_event where history = b.history and backfill = b.id
          order by id desc limit ${backfill === null ? EVENTS : EVENTS_IN_DETAIL}) e), '[]')) as answer
from forerun.backfill b where b.history = :history and b.id = coalesce(cast(:backfill as text), b.id)
order by b.enqueued_at, b.id`,
  parameters: { history, backfill },
});
