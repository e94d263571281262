import { DatabaseFailure } from '../database-failure.ts';
import type { Ports, Row } from '../ports.ts';
import { READ_SIGNALS } from './postgres-state.ts';

/** Why a worker holds still; null while it may go on. */
export interface Throttle {
  reason(): Promise<string | null>;
}

/** How old a reading may be, in milliseconds (Spirit looks each 5 seconds). */
const FRESH_MS = 5_000;

/** Sessions at work beside ours (pt-online-schema-change: Threads_running 25). */
const MOST_ACTIVE = 25;
/** Sessions that wait for a lock at one moment. */
const MOST_WAITING = 5;
/** A transaction this old keeps every row version that a backfill leaves from being cleaned away, in seconds. */
const OLDEST_SECONDS = 3_600;
/** Replication behind by more than this, in seconds (LHM: 10). */
const MOST_LAG_SECONDS = 10;

/**
 * Reads the database's load every few seconds, once for all ranges. A reading that fails holds the work: a database that
 * cannot say how it is may be the one in trouble. A role that may not look into other sessions reads zeros, and works on.
 */
export function throttleOver(ports: Ports): Throttle {
  let readAtMs = Number.NEGATIVE_INFINITY;
  let verdict: Promise<string | null> = Promise.resolve(null);
  return {
    reason() {
      if (ports.clock.now() - readAtMs >= FRESH_MS) {
        readAtMs = ports.clock.now();
        verdict = read(ports);
      }
      return verdict;
    },
  };
}

async function read(ports: Ports): Promise<string | null> {
  try {
    const { rows } = await ports.database.execute(READ_SIGNALS, { rows: true });
    return rows[0] === undefined ? 'the load of the database could not be read' : judged(rows[0]);
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure)) throw cause;
    return `the load of the database could not be read: ${cause.message}`;
  }
}

/** The first signal over its limit. */
export function judged(row: Row): string | null {
  const number = (column: string): number => Number(row[column] ?? 0);
  if (number('active') > MOST_ACTIVE) return `${number('active')} other sessions are at work`;
  if (number('waiting') > MOST_WAITING) return `${number('waiting')} sessions wait for locks`;
  if (number('oldest') > OLDEST_SECONDS) {
    return `a transaction has been open for ${Math.round(number('oldest') / 60)} minutes`;
  }
  if (number('lag') > MOST_LAG_SECONDS) return `a replica is ${Math.round(number('lag'))} seconds behind`;
  return null;
}
