import type { BackfillAnswer } from './contract.ts';
import { backfills, move, ownBackfill, tune, work, type Operator } from './engine/backfill/operate.ts';
import { isOpen } from './engine/backfill/states.ts';
import { tryBatch } from './engine/backfill/trial.ts';
import { DatabaseFailure } from './engine/database-failure.ts';
import { ForerunError } from './engine/errors.ts';
import { RESERVE_MS } from './engine/limits.ts';
import type { Ports } from './engine/ports.ts';
import { postgres } from './engine/postgres.ts';
import type { BackfillEvent } from './runner-event.ts';

/** Kept back from a call's time for the batch under way: no batch begins after it. Milliseconds. */
const KEPT_BACK_MS = 3 * RESERVE_MS;

/** What a person asks of backfills. */
export async function answerOnBackfills(
  event: BackfillEvent,
  operator: Operator,
  deadlineMs: number,
  ports: Ports,
): Promise<BackfillAnswer> {
  switch (event.action) {
    case 'backfills':
      return { ok: true, action: 'backfills', backfills: await backfills(operator.history, ports, postgres) };
    case 'backfill': {
      if (event.dryRun) {
        const migration = ownBackfill(event.backfill ?? '', operator);
        const place = { history: operator.history, backfill: migration.id };
        const trial = await tryBatch(place, migration.backfill, operator.limits, ports);
        return { ok: true, action: 'backfill', trial };
      }
      const before = await backfills(operator.history, ports, postgres);
      const ids = before.filter(({ state }) => isOpen(state)).map(({ id }) => id);
      const wanted = event.backfill === undefined ? ids : [event.backfill];
      const { lanes } = event;
      const crew = lanes === undefined ? operator : { ...operator, lanes };
      await work(wanted, crew, deadlineMs - KEPT_BACK_MS, ports);
      const after = await backfills(operator.history, ports, postgres);
      const shown = after.filter(({ id }) => wanted.includes(id));
      const stopped = shown.some(({ state }) => state === 'paused' || state === 'failed');
      return { ok: !stopped, action: 'backfills', backfills: shown };
    }
    case 'pause':
    case 'resume':
    case 'cancel':
    case 'retry': {
      const backfill = await move(event.backfill, event.action, operator, ports, postgres);
      return { ok: true, action: 'backfills', backfills: [backfill] };
    }
    case 'tune': {
      const { mostRows = null, pauseMs = null, parallel = null } = event;
      const backfill = await tune(event.backfill, { mostRows, pauseMs, parallel }, operator, ports, postgres);
      return { ok: true, action: 'backfills', backfills: [backfill] };
    }
  }
}

/** How long a deploy goes on working, when all else is done, on what is enqueued: most backfills are over by then. */
const AFTER_A_RUN_MS = 60_000;

/** After a run that succeeded: a minute for the backfills that it enqueued, or that earlier ones have left. */
export async function workAfterRun(
  ids: readonly string[],
  operator: Operator,
  deadlineMs: number,
  ports: Ports,
): Promise<void> {
  const own = ids.filter((id) => operator.migrations.some((one) => one.id === id));
  if (own.length === 0) return;
  const untilMs = Math.min(deadlineMs - KEPT_BACK_MS, ports.clock.now() + AFTER_A_RUN_MS);
  try {
    if (ports.clock.now() < untilMs) await work(own, operator, untilMs, ports);
  } catch (cause) {
    // The run itself has succeeded, and whoever works next on the backfill meets the same trouble.
    if (!(cause instanceof DatabaseFailure) && !(cause instanceof ForerunError)) throw cause;
    ports.tell({ note: 'unknown', reason: `a backfill could not be worked on: ${cause.message}` });
  }
}
