import type { GroupEnd, GroupWork } from './apply-group.ts';
import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import { migrationFailed, statementRunning } from './failure-text.ts';
import type { Dialect } from './journal.ts';
import { digestOf, sightingOf, type LedgerEntry, type LoneOrder, type Sighting } from './ledger.ts';
import { RESERVE_MS } from './limits.ts';
import { loneFormOf, type LoneForm } from './lone-statement.ts';
import type { Migration } from './migration.ts';
import type { Ports, Row, Statement, StatementResult } from './ports.ts';
import { isRead, readAlone } from './read-alone.ts';
import { runMigration, type Trouble } from './run-migration.ts';
import { tagged, type NumberedStatement } from './session.ts';
import { limitsFor } from './transaction-limits.ts';

/** How a migration outside a transaction ended. */
export type AloneEnd =
  | Exclude<GroupEnd, { end: 'failed' | 'conflict' }>
  /** It stopped at an error; `partial` tells whether statements before it stand. */
  | { readonly end: 'failed' | 'conflict'; readonly error: ForerunError; readonly partial: boolean }
  /** A statement is at work in the database, and the run's time is over. */
  | { readonly end: 'working'; readonly error: ForerunError };

export interface AloneWork extends GroupWork {
  readonly migration: Migration;
  /** What earlier attempts have done of it, by the reading on which the lease was taken. */
  readonly ledger: readonly LedgerEntry[];
}

/** First and longest pause between two looks at a statement that works, in milliseconds. */
const SHORTEST_LOOK_MS = 250;
const LONGEST_LOOK_MS = 5_000;

/** Kept from the service's limit: an error that comes this late may not reach its caller any more. Milliseconds. */
const ANSWER_MS = 5_000;

/** Stops a migration's code from inside one of its statements. */
class Halt extends Error {
  override readonly name = 'Halt';
  readonly end: AloneEnd;
  constructor(end: AloneEnd) {
    super(end.end);
    this.end = end;
  }
}

/** Statement after statement, each committed by itself and recorded; then the claim of the migration as a whole. */
export async function applyAlone(work: AloneWork, ports: Ports, dialect: Dialect): Promise<AloneEnd> {
  const { migration } = work;
  const entries = new Map(work.ledger.map((entry) => [entry.number, entry]));
  const steps = loneSteps(work, entries, ports, dialect);
  const trouble = await runMigration(migration, work, ports, (numbered) => steps.carryOut(numbered));
  const partial = steps.doneCount() > 0;
  if (trouble !== null) return endOf(trouble, partial, work, dialect);
  if (steps.doneCount() > steps.seenCount()) return changed(migration, steps.seenCount() + 1, work, partial);
  return claim(work, partial, ports, dialect);
}

function loneSteps(
  work: AloneWork,
  entries: ReadonlyMap<number, LedgerEntry>,
  ports: Ports,
  dialect: Dialect,
) {
  const { migration, limits } = work;
  const { database } = ports;
  const done = new Set(
    [...entries.values()].filter(({ state }) => state === 'done').map(({ number }) => number),
  );
  let seen = 0;

  const note = async (statement: Statement): Promise<Row> => {
    const { rows } = await halting(() => database.execute(statement, { rows: true }));
    const row = rows[0];
    if (row === undefined || row['token'] === null) throw new Halt({ end: 'fenced' });
    return row;
  };

  const record = async (order: LoneOrder, { statement }: NumberedStatement): Promise<StatementResult> => {
    const earlier = entries.get(order.number);
    if (earlier !== undefined && earlier.runId === order.runId) throwLateError(earlier, dialect);
    const { lockTimeoutMs } = limitsFor(migration, work, ports.clock);
    const patienceMs = limits.statementTimeoutMs - ANSWER_MS;
    const recorded = dialect.runRecorded({ ...order, statement, lockTimeoutMs, patienceMs });
    const options = { rows: true, beyondLimit: migration.alone === 'long' };
    const { rows } = await halting(() => database.execute(recorded, options));
    const { ended, affected } = rows[0] ?? {};
    if (ended === 'fenced') throw new Halt({ end: 'fenced' });
    if (ended !== 'done')
      throw new Halt({ end: 'unknown', reason: 'a statement met its own earlier attempt' });
    return { rows: [], affected: Number(affected ?? 0) };
  };

  /** Looks until the statement provably works no more. */
  const settle = async (order: LoneOrder, form: LoneForm, tag: string): Promise<Sighting> => {
    let wasAlive = false;
    for (let turn = 0; ; turn += 1) {
      const looked = dialect.watch({ ...order, form, tag, inFlightMs: limits.inFlightMs });
      const sighting = sightingOf(await note(looked));
      // What has been seen at work, or has left its result, is on its way no more.
      if (!sighting.alive && (sighting.settled || wasAlive || isThere(form, sighting))) return sighting;
      wasAlive ||= sighting.alive;
      const waitMs = Math.min(LONGEST_LOOK_MS, SHORTEST_LOOK_MS * 2 ** turn) * (0.75 + ports.random() / 2);
      if (ports.clock.now() + waitMs > work.deadlineMs - RESERVE_MS) {
        throw new Halt({ end: 'working', error: statementRunning(migration, order.number) });
      }
      const phase = sighting.phase === null ? '' : ` (${sighting.phase})`;
      const reason = sighting.alive
        ? `statement ${order.number} of ${migration.id}, at work in the database${phase}`
        : `a request for statement ${order.number} of ${migration.id} that may still be on its way`;
      ports.tell({ note: 'waiting', reason, forMs: Math.round(waitMs) });
      await ports.clock.sleep(waitMs);
    }
  };

  const send = async (sql: string): Promise<'answered' | 'unknown'> => {
    try {
      await database.execute({ sql }, { rows: false, beyondLimit: true });
      return 'answered';
    } catch (cause) {
      if (cause instanceof DatabaseFailure && cause.ran === 'unknown') return 'unknown';
      throw cause;
    }
  };

  /** PostgreSQL has said no: what a build left is removed now if that is easy, or else by the next run. */
  const tidy = async (order: LoneOrder, form: LoneForm, tag: string): Promise<void> => {
    const { alive, index } = sightingOf(
      await note(dialect.watch({ ...order, form, tag, inFlightMs: limits.inFlightMs })),
    );
    if (alive) return;
    if (form.kind === 'create-index' && index !== null && !index.valid) {
      if ((await send(`${tag} ${dialect.dropLeftover(index.name)}`)) === 'unknown') return;
    }
    await note(dialect.forget(order));
  };

  /** What PostgreSQL takes neither in a transaction nor in a function: noted, sent, and looked after. */
  const watchOver = async (order: LoneOrder, form: LoneForm, numbered: NumberedStatement): Promise<void> => {
    let started = entries.get(order.number)?.state === 'started';
    for (;;) {
      const sighting = started ? await settle(order, form, numbered.tag) : null;
      if (sighting !== null && isThere(form, sighting)) break;
      const begun = await note(dialect.start({ ...order, form, again: started }));
      if (begun['noted'] !== true) throw indexInTheWay(begun);
      started = true;
      const leftover = form.kind === 'create-index' ? (sighting?.index ?? null) : null;
      const sql =
        leftover === null ? tagged(numbered).sql : `${numbered.tag} ${dialect.dropLeftover(leftover.name)}`;
      if (leftover !== null) {
        ports.tell({
          note: 'progress',
          migration: migration.id,
          message: `removing the unfinished index ${leftover.name}`,
        });
      }
      try {
        const answer = await send(sql);
        if (answer === 'answered' && leftover === null) break;
      } catch (cause) {
        await tidy(order, form, numbered.tag);
        throw cause;
      }
    }
    await note(dialect.finish(order));
  };

  return {
    seenCount: () => seen,
    doneCount: () => done.size,
    async carryOut(numbered: NumberedStatement): Promise<StatementResult> {
      const { number, statement, options } = numbered;
      seen = number;
      const form = loneFormOf(statement.sql);
      if (form.kind === 'recorded' && options.rows && isRead(statement.sql)) {
        return readAlone(database, tagged(numbered));
      }
      const order = orderFor(work, number, digestOf(statement.sql));
      const earlier = entries.get(number);
      if (earlier !== undefined && earlier.state !== 'failed' && earlier.digest !== order.digest) {
        throw statementChanged(migration, number);
      }
      if (earlier?.state === 'done') return { rows: [], affected: earlier.affected };
      const result =
        form.kind === 'recorded'
          ? await record(order, numbered)
          : await watchOver(order, form, numbered).then(() => ({ rows: [], affected: 0 }));
      done.add(number);
      return result;
    },
  };
}

/** A lost answer is decided by the journal alone. */
async function halting<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure) || cause.ran !== 'unknown') throw cause;
    throw new Halt({ end: 'unknown', reason: cause.message });
  }
}

function isThere(form: LoneForm, { index }: Sighting): boolean {
  if (form.kind === 'create-index') return index?.valid === true;
  return form.kind === 'drop-index' && index === null;
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

async function claim(work: AloneWork, partial: boolean, ports: Ports, dialect: Dialect): Promise<AloneEnd> {
  const { leaseMs, idleTimeoutMs } = work.limits;
  const order = {
    ...work.identity,
    token: work.token,
    leaseMs,
    idleTimeoutMs,
    migrations: [work.migration],
    ...limitsFor(work.migration, work, ports.clock),
  };
  try {
    const statement = work.direction === 'up' ? dialect.claim(order) : dialect.unclaim(order);
    const { rows } = await ports.database.execute(statement, { rows: true });
    const answer = rows[0];
    const took = answer !== undefined && answer['token'] !== null && answer['claimed'] === 1;
    return took ? { end: 'committed' } : { end: 'fenced' };
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
  const conflict = cause instanceof DatabaseFailure && dialect.isConflict(cause);
  const error = migrationFailed({ ...trouble, ...work, partial });
  return { end: conflict ? 'conflict' : 'failed', error, partial };
}

function changed(migration: Migration, number: number, work: AloneWork, partial: boolean): AloneEnd {
  const cause = statementChanged(migration, number);
  const error = migrationFailed({ ...work, migration, statement: null, cause, partial });
  return { end: 'failed', error, partial };
}

function statementChanged({ id }: Migration, number: number): ForerunError {
  return new ForerunError('plan-changed', {
    what: `Statement ${number} of ${id} was sent by an earlier run, and now it is another one or left out`,
    state: 'It was not sent.',
    next: `Restore the statements of ${id} up to ${number} as they were and run again; or finish by hand what it began, and say so with {"action":"stamp","to":"…","reason":"…"}.`,
  });
}

function indexInTheWay(row: Row): ForerunError {
  const name = typeof row['index_name'] === 'string' ? row['index_name'] : 'of this name';
  return new ForerunError('statement-refused', {
    what: `The index ${name} is there already${row['index_valid'] === true ? '' : ', and unfinished'}, and no run of this history began it.`,
    state: 'It was not sent.',
    next: `Look at the index; drop it with \`drop index concurrently ${name}\`, or give the new one another name.`,
  });
}
