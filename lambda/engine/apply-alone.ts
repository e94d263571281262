import { claim } from './claim.ts';
import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import { migrationFailed, outOfTime } from './failure-text.ts';
import type { GroupWork } from './group-work.ts';
import { Halt, halting, type AloneEnd } from './halt.ts';
import type { Dialect } from './journal.ts';
import { digestOfStatement, type LedgerEntry, type LoneOrder } from './ledger.ts';
import { loneFormOf } from './lone-statement.ts';
import type { Migration } from './migration.ts';
import type { Ports, StatementResult } from './ports.ts';
import { isRead, readAlone } from './read-alone.ts';
import { runMigration, type Trouble } from './run-migration.ts';
import { tagged, type NumberedStatement } from './session.ts';
import { limitsFor } from './transaction-limits.ts';
import { watchOver } from './watched-statement.ts';

export interface AloneWork extends GroupWork {
  readonly migration: Migration;
  /** What earlier attempts have done of it, by the reading on which the lease was taken. */
  readonly ledger: readonly LedgerEntry[];
}

/** Kept from the service's limit: an error that comes this late may not reach its caller any more. Milliseconds. */
const ANSWER_MS = 5_000;

/** Statement after statement, each committed by itself and recorded; then the claim of the migration as a whole. */
export async function applyAlone(work: AloneWork, ports: Ports, dialect: Dialect): Promise<AloneEnd> {
  const { migration } = work;
  const steps = loneSteps(work, ports, dialect);
  const trouble = await runMigration(migration, work, ports, (numbered) => steps.carryOut(numbered));
  const partial = steps.stands();
  if (trouble !== null) return endOf(trouble, partial, work, dialect);
  const leftOut = steps.leftOut();
  if (leftOut !== undefined) return changed(migration, leftOut, work, partial);
  return claimed(work, partial, ports, dialect);
}

function loneSteps(work: AloneWork, ports: Ports, dialect: Dialect) {
  const { migration, limits } = work;
  const { database } = ports;
  const entries = new Map(work.ledger.map((entry) => [entry.number, entry]));
  /** Numbers of statements that took effect, or may have. */
  const standing = new Set(work.ledger.filter(({ state }) => state !== 'failed').map(({ number }) => number));
  let seen = 0;

  const record = async (order: LoneOrder, { statement }: NumberedStatement): Promise<StatementResult> => {
    const earlier = entries.get(order.number);
    if (earlier !== undefined && earlier.runId === order.runId) throwLateError(earlier, dialect);
    const beyondLimit = migration.alone === 'long';
    if (!beyondLimit && ports.clock.now() + limits.statementTimeoutMs > work.deadlineMs) {
      throw outOfTime('Too little time was left for another statement.');
    }
    const { lockTimeoutMs } = limitsFor(migration, work, ports.clock);
    const patienceMs = limits.statementTimeoutMs - ANSWER_MS;
    const recorded = dialect.runRecorded({ ...order, statement, lockTimeoutMs, patienceMs });
    const { rows } = await halting(() => database.execute(recorded, { rows: true, beyondLimit }));
    const { ended, affected } = rows[0] ?? {};
    if (ended === 'fenced') throw new Halt({ end: 'fenced' });
    if (ended !== 'done')
      throw new Halt({ end: 'unknown', reason: 'a statement met its own earlier attempt' });
    standing.add(order.number);
    return { rows: [], affected: Number(affected ?? 0) };
  };

  return {
    stands: () => standing.size > 0,
    /** A statement that an earlier attempt began and this one did not come to. */
    leftOut: () => [...standing].toSorted((one, other) => one - other).find((number) => number > seen),
    async carryOut(numbered: NumberedStatement): Promise<StatementResult> {
      const { number, statement, options } = numbered;
      seen = number;
      const form = loneFormOf(statement.sql);
      const earlier = entries.get(number);
      if (form.kind === 'recorded' && options.rows && isRead(statement.sql)) {
        if (standing.has(number)) throw statementChanged(migration, number);
        return readAlone(tagged(numbered), database, dialect);
      }
      const order = orderFor(work, number, digestOfStatement(statement));
      if (earlier !== undefined && earlier.state !== 'failed' && earlier.digest !== order.digest) {
        throw statementChanged(migration, number);
      }
      if (earlier?.state === 'done') return { rows: [], affected: earlier.affected };
      if (form.kind === 'recorded') return record(order, numbered);
      await watchOver(
        {
          order,
          form,
          numbered,
          deadlineMs: work.deadlineMs,
          inFlightMs: limits.inFlightMs,
          started: earlier?.state === 'started',
          onNote: (stands) => (stands ? standing.add(number) : standing.delete(number)),
        },
        ports,
        dialect,
      );
      return { rows: [], affected: 0 };
    },
  };
}

function orderFor(
  { identity, token, limits, migration, direction }: AloneWork,
  number: number,
  digest: string,
): LoneOrder {
  const { history, runId } = identity;
  return {
    history,
    runId,
    token,
    leaseMs: limits.leaseMs,
    migration: migration.id,
    direction,
    number,
    digest,
  };
}

/** An error that came when its caller was gone. One that means giving way to others is no reason to stop. */
function throwLateError({ state, sqlState, facts }: LedgerEntry, dialect: Dialect): void {
  if (state !== 'failed' || sqlState === null) return;
  const named = facts === null || facts === '' ? '' : ` (${facts})`;
  const message = `it failed in the database after the service had stopped waiting${named}`;
  const failure = new DatabaseFailure({ ran: 'failed', kind: 'sql', sqlState, message });
  if (!dialect.isConflict(failure)) throw failure;
}

async function claimed(work: AloneWork, partial: boolean, ports: Ports, dialect: Dialect): Promise<AloneEnd> {
  const limits = limitsFor(work.migration, work, ports.clock);
  try {
    return (await claim(work, limits, ports.database, dialect)) ? { end: 'committed' } : { end: 'fenced' };
  } catch (cause) {
    return endOf({ migration: work.migration, cause, statement: null }, partial, work, dialect);
  }
}

function endOf(trouble: Trouble, partial: boolean, work: AloneWork, dialect: Dialect): AloneEnd {
  const { cause } = trouble;
  if (cause instanceof Halt) return cause.end;
  if (cause instanceof DatabaseFailure && cause.ran === 'unknown') {
    return { end: 'unknown', reason: cause.message };
  }
  const gaveWay = cause instanceof DatabaseFailure && dialect.isConflict(cause);
  const error = migrationFailed({ ...trouble, ...work, gaveWay, partial });
  return { end: gaveWay ? 'conflict' : 'failed', error, partial };
}

function changed(migration: Migration, number: number, work: AloneWork, partial: boolean): AloneEnd {
  const cause = statementChanged(migration, number);
  const error = migrationFailed({ ...work, migration, statement: null, cause, gaveWay: false, partial });
  return { end: 'failed', error, partial };
}

function statementChanged({ id }: Migration, number: number): ForerunError {
  return new ForerunError('plan-changed', {
    what: `Statement ${number} of ${id} was sent by an earlier run, and now it is another one or left out`,
    state: 'It was not sent.',
    next: `Restore the statements of ${id} up to ${number} as they were and run again; or finish by hand what it began, and say so with {"action":"stamp","to":"…","reason":"…","confirm":"<database>"}.`,
  });
}
