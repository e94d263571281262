import type { BackfillAnswer, BackfillsShown } from './contract.ts';
import {
  backfills,
  move,
  oneBackfill,
  openIds,
  ownBackfill,
  tune,
  work,
  workOnOwn,
  type Asked,
  type Operator,
} from './engine/backfill/operate.ts';
import { isStopped } from './engine/backfill/states.ts';
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
  const list = async (only: readonly string[] | null): Promise<BackfillsShown> => {
    const { backfills: shown, more, stopped } = await backfills(operator.history, ports, postgres, only);
    ports.tell({ note: 'backfills', stopped });
    return { backfills: shown, more };
  };
  switch (event.action) {
    case 'backfills': {
      const shown =
        event.backfill === undefined
          ? await list(null)
          : { backfills: [await oneBackfill(event.backfill, operator, ports, postgres)] };
      return { ok: true, action: 'backfills', ...shown };
    }
    case 'backfill': {
      if (event.dryRun) {
        const migration = ownBackfill(event.backfill ?? '', operator);
        const place = { history: operator.history, backfill: migration.id };
        const trial = await tryBatch(place, migration.backfill, operator.limits, ports);
        return { ok: true, action: 'backfill', trial };
      }
      const { lanes } = event;
      const crew = lanes === undefined ? operator : { ...operator, lanes };
      const untilMs = deadlineMs - KEPT_BACK_MS;
      const wanted =
        event.backfill === undefined ? await openIds(operator.history, ports, postgres) : [event.backfill];
      const workOn = event.backfill === undefined ? workOnOwn : work;
      const worked = await workOn(wanted, crew, untilMs, ports);
      const left = new Set(worked.passedOver.map(({ id }) => id));
      const shown = await list(wanted.filter((id) => !left.has(id)));
      const stopped = shown.backfills.some(({ state }) => isStopped(state));
      return { ok: !stopped, action: 'backfills', ...shown, ...worked };
    }
    case 'pause':
    case 'resume':
    case 'cancel':
    case 'retry': {
      const { id } = await move(event.backfill, event.action, askedBy(event), operator, ports, postgres);
      return { ok: true, action: 'backfills', ...(await list([id])) };
    }
    case 'tune': {
      const { mostRows = null, pauseMs = null, parallel = null } = event;
      const tuned = { mostRows, pauseMs, parallel };
      const backfill = await tune(event.backfill, tuned, askedBy(event), operator, ports, postgres);
      return { ok: true, action: 'backfills', backfills: [backfill] };
    }
  }
}

const askedBy = (event: { readonly reason?: string; readonly by?: string }): Asked => ({
  reason: event.reason ?? null,
  by: event.by ?? null,
});

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
