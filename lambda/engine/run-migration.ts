import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import { outOfTime } from './failure-text.ts';
import { RESERVE_MS } from './limits.ts';
import type { Migration, MigrationTools } from './migration.ts';
import type { Ports, Session, StatementResult } from './ports.ts';
import { openSession, type CarryOut, type NumberedStatement } from './session.ts';

/** What went wrong in a migration, and where. */
export interface Trouble {
  readonly migration: Migration;
  readonly cause: unknown;
  readonly statement: { readonly number: number; readonly sql: string } | null;
  /** File and line of the author's code, where it was that code that threw. */
  readonly authorPlace?: string;
}

export interface MigrationWork {
  readonly direction: 'up' | 'down';
  readonly deadlineMs: number;
}

/** Runs the author's code within the time of the run; every statement goes through `carryOut`. Null when all went well. */
export async function runMigration(
  migration: Migration,
  { direction, deadlineMs }: MigrationWork,
  ports: Ports,
  carryOut: CarryOut,
): Promise<Trouble | null> {
  const { clock, tell } = ports;
  const lastMoment = deadlineMs - RESERVE_MS;
  tell({ note: 'began', migration: migration.id, direction });
  const session = openSession(migration.id, async (numbered) => {
    if (clock.now() > lastMoment) throw timeIsUp('before the statement could be sent');
    const began = clock.now();
    const result = await carryOutInTime(numbered, carryOut, () => clock.now() > lastMoment);
    tell({
      note: 'statement',
      migration: migration.id,
      statement: numbered.number,
      milliseconds: clock.now() - began,
      rows: result.affected,
    });
    return result;
  });
  const tools: MigrationTools = {
    inTransaction: migration.alone === undefined,
    progress: (message) => tell({ note: 'progress', migration: migration.id, message }),
  };
  const thrown = await caught(() => walk(migration, direction, session, tools), lastMoment, ports);
  if (thrown === null && session.sent() === 0) tools.progress('it sent no statement');
  const mishap = await session.close();
  const timeWasUp = thrown?.cause instanceof ForerunError && thrown.cause.code === 'out-of-time';
  if (mishap !== null && !(timeWasUp && mishap.cause instanceof ForerunError)) {
    return { migration, cause: mishap.cause, statement: { number: mishap.statement, sql: mishap.sql } };
  }
  if (thrown === null) return null;
  const authorPlace = ports.authorPlace?.(thrown.cause);
  const where = authorPlace === undefined ? {} : { authorPlace };
  return { migration, cause: thrown.cause, statement: null, ...where };
}

/** A statement that PostgreSQL ended because the run's time was over did not take too long by itself. */
async function carryOutInTime(
  numbered: NumberedStatement,
  carryOut: CarryOut,
  isOver: () => boolean,
): Promise<StatementResult> {
  try {
    return await carryOut(numbered);
  } catch (cause) {
    if (cause instanceof DatabaseFailure && cause.kind === 'timeout' && cause.ran === 'failed' && isOver()) {
      throw timeIsUp('while the statement ran');
    }
    throw cause;
  }
}

/** What the author's code threw; code that never comes to an end is given up when the time is over. */
async function caught(
  work: () => Promise<void>,
  lastMoment: number,
  { clock }: Ports,
): Promise<{ readonly cause: unknown } | null> {
  const alarm = new AbortController();
  const overtime = async (): Promise<void> => {
    await clock.sleep(Math.max(0, lastMoment - clock.now()), alarm.signal);
    if (!alarm.signal.aborted) throw timeIsUp('before the migration came to its end');
  };
  try {
    await Promise.race([work(), overtime()]);
    return null;
  } catch (cause) {
    return { cause };
  } finally {
    alarm.abort();
  }
}

function walk(
  { id, up, down }: Migration,
  direction: 'up' | 'down',
  session: Session,
  tools: MigrationTools,
): Promise<void> {
  if (direction === 'up') return up(session, tools);
  if (down.kind === 'reversible') return down.run(session, tools);
  // The plan refuses irreversible steps; a rejection here keeps the transaction from committing should it ever not.
  return Promise.reject(
    new DatabaseFailure({ ran: 'failed', kind: 'invalid', message: `${id} is irreversible` }),
  );
}

function timeIsUp(when: string): ForerunError {
  return outOfTime(`The time for this call was used up ${when}.`);
}
