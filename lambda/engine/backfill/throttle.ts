import { DatabaseFailure } from '../database-failure.ts';
import type { Ports, Row } from '../ports.ts';
import type { Tuning } from './backfill.ts';
import { READ_SIGNALS } from './postgres-state.ts';

/**
 * What a backfill's own file says of the load: a large instance is at work with more sessions at any time, and an old transaction
 * keeps every row version that a backfill leaves from being cleaned away.
 */
type LoadLimits = Pick<Tuning, 'activeSessions' | 'oldestTransactionSeconds'>;

/** Why a worker holds still; null while it may go on. */
export interface Throttle {
  reason(): Promise<string | null>;
  /** Whether nobody else was at work when the load was last read; false where nobody can tell. */
  alone(): boolean;
}

/** How old a reading may be, in milliseconds (Spirit looks each 5 seconds). */
const FRESH_MS = 5_000;

/** Sessions that wait for a lock at one moment. */
const MOST_WAITING = 5;
/** Replication behind by more than this, in seconds (LHM: 10). */
const MOST_LAG_SECONDS = 10;

/**
 * Reads the database's load every few seconds, once for all ranges. A reading that fails holds the work: a database that
 * cannot say how it is may be the one in trouble. A role that may not look into other sessions reads zeros, and works on.
 */
export function throttleOver(ports: Ports, limits: LoadLimits): Throttle {
  let readAtMs = Number.NEGATIVE_INFINITY;
  let verdict: Promise<string | null> = Promise.resolve(null);
  let alone = false;
  return {
    reason() {
      if (ports.clock.now() - readAtMs >= FRESH_MS) {
        readAtMs = ports.clock.now();
        verdict = read(ports, limits).then((load) => {
          alone = load.alone;
          return load.reason;
        });
      }
      return verdict;
    },
    alone: () => alone,
  };
}

interface Load {
  readonly reason: string | null;
  readonly alone: boolean;
}

async function read(ports: Ports, limits: LoadLimits): Promise<Load> {
  try {
    const { rows } = await ports.database.execute(READ_SIGNALS, { rows: true });
    const [row] = rows;
    if (row === undefined) return { reason: 'the load of the database could not be read', alone: false };
    return { reason: judged(row, limits), alone: isAlone(row) };
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure)) throw cause;
    return { reason: `the load of the database could not be read: ${cause.message}`, alone: false };
  }
}

/** No session beside ours has worked lately, and none may be hidden from us. */
export const isAlone = (row: Row): boolean => Number(row['lately']) === 0 && Number(row['hidden']) === 0;

/** The first signal over its limit. */
export function judged(row: Row, limits: LoadLimits): string | null {
  const number = (column: string): number => Number(row[column] ?? 0);
  if (number('active') > limits.activeSessions) return `${number('active')} other sessions are at work`;
  if (number('waiting') > MOST_WAITING) return `${number('waiting')} sessions wait for locks`;
  if (number('oldest') > limits.oldestTransactionSeconds) {
    return `a transaction has been open for ${Math.round(number('oldest') / 60)} minutes`;
  }
  if (number('lag') > MOST_LAG_SECONDS) return `a replica is ${Math.round(number('lag'))} seconds behind`;
  return null;
}
