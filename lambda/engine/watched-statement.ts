import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import { statementRunning } from './failure-text.ts';
import { Halt, halting } from './halt.ts';
import type { Dialect } from './journal.ts';
import { sightingOf, type LoneOrder, type Sighting } from './ledger.ts';
import type { LoneForm } from './lone-statement.ts';
import type { Ports, Row, Statement } from './ports.ts';
import { tagged, type NumberedStatement } from './session.ts';
import { waitWithin } from './wait.ts';

/** First and longest pause between two looks at a statement that works, in milliseconds. */
const SHORTEST_LOOK_MS = 250;
const LONGEST_LOOK_MS = 5_000;

/** How long the service may turn a statement down (throttled, asleep) before the run gives up, in milliseconds. */
const REFUSED_PATIENCE_MS = 150_000;

const WILL_PASS: readonly string[] = ['asleep', 'throttled', 'unreachable', 'denied', 'transaction-busy'];

export interface WatchedStatement {
  readonly order: LoneOrder;
  readonly form: LoneForm;
  readonly numbered: NumberedStatement;
  readonly deadlineMs: number;
  readonly inFlightMs: number;
  /** An earlier attempt has noted it as started. */
  readonly started: boolean;
  /** Hears whether its note stands in the ledger. */
  readonly onNote: (stands: boolean) => void;
}

/**
 * Carries out what PostgreSQL takes neither in a transaction nor in a function. Nothing fences such a statement, so it is
 * noted before each time it is sent, never sent again while an earlier one works or may be on its way, and proved by the catalog.
 */
export async function watchOver(work: WatchedStatement, ports: Ports, dialect: Dialect): Promise<void> {
  const { order, form, numbered } = work;
  let begun = work.started;
  let inDoubt = work.started;
  let sighting: Sighting | null = null;
  let firstRefusalMs: number | null = null;
  for (let turn = 0; ; turn += 1) {
    if (inDoubt) {
      sighting = await settle(work, ports, dialect);
      if (isThere(form, sighting)) break;
    }
    await start(work, begun, ports, dialect);
    begun = true;
    const leftover = form.kind === 'create-index' ? (sighting?.index ?? null) : null;
    if (leftover !== null) tellRemoval(order, leftover.name, ports);
    const sql =
      leftover === null ? tagged(numbered).sql : `${numbered.tag} ${dialect.dropLeftover(leftover.name)}`;
    try {
      const answer = await send(sql, ports);
      if (answer === 'answered' && leftover === null) break;
      inDoubt = true;
    } catch (cause) {
      firstRefusalMs ??= ports.clock.now();
      inDoubt = false;
      if (willPass(cause, firstRefusalMs, ports) && (await pause(work, turn, cause.message, ports))) continue;
      await tidy(work, ports, dialect);
      throw cause;
    }
  }
  await note(dialect.finish(order), ports);
}

/** Looks until the statement provably works no more, and is not on its way either. */
async function settle(work: WatchedStatement, ports: Ports, dialect: Dialect): Promise<Sighting> {
  const { order, form, numbered, inFlightMs } = work;
  let wasSeen = false;
  for (let turn = 0; ; turn += 1) {
    const looked = dialect.watch({ ...order, form, tag: numbered.tag, inFlightMs });
    const sighting = sightingOf(await note(looked, ports));
    // What has been seen itself, or has left its result, is on its way no more; a lock alone may be somebody else's.
    if (!sighting.alive && (sighting.settled || wasSeen || isThere(form, sighting))) return sighting;
    wasSeen ||= sighting.seen;
    const phase = sighting.phase === null ? '' : ` (${sighting.phase})`;
    const reason = sighting.alive
      ? `statement ${order.number} of ${order.migration}, at work in the database${phase}`
      : `a request for statement ${order.number} of ${order.migration} that may still be on its way`;
    if (!(await pause(work, turn, reason, ports))) {
      throw new Halt({
        end: 'working',
        error: statementRunning({ migration: order.migration, statement: order.number }),
      });
    }
  }
}

async function start(
  { order, form, onNote }: WatchedStatement,
  again: boolean,
  ports: Ports,
  dialect: Dialect,
): Promise<void> {
  const row = await note(dialect.start({ ...order, form, again }), ports);
  if (row['noted'] !== true) throw indexInTheWay(row);
  onNote(true);
}

/** Sent once: a repetition that the note does not know of would count as long on its way. */
async function send(sql: string, { database }: Ports): Promise<'answered' | 'unknown'> {
  try {
    await database.execute({ sql }, { rows: false, beyondLimit: true, once: true });
    return 'answered';
  } catch (cause) {
    if (cause instanceof DatabaseFailure && cause.ran === 'unknown') return 'unknown';
    throw cause;
  }
}

/**
 * PostgreSQL has said no: what a build left is removed now if that is easy, or else by the next run, which the note that stays
 * tells. Whatever goes wrong here, the refusal is what the run ends with.
 */
async function tidy(work: WatchedStatement, ports: Ports, dialect: Dialect): Promise<void> {
  const { order, form, numbered, inFlightMs, onNote } = work;
  try {
    const looked = dialect.watch({ ...order, form, tag: numbered.tag, inFlightMs });
    const { alive, index } = sightingOf(await note(looked, ports));
    if (alive) return;
    if (form.kind === 'create-index' && index !== null && !index.valid) {
      const removed = await send(`${numbered.tag} ${dialect.dropLeftover(index.name)}`, ports);
      if (removed === 'unknown') return;
    }
    await note(dialect.forget(order), ports);
    onNote(false);
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure) && !(cause instanceof Halt)) throw cause;
  }
}

/** Sends a statement of the ledger; a run that lost the lease stops here. */
async function note(statement: Statement, { database }: Ports): Promise<Row> {
  const { rows } = await halting(() => database.execute(statement, { rows: true }));
  const row = rows[0];
  if (row === undefined || row['token'] === null) throw new Halt({ end: 'fenced' });
  return row;
}

function pause(
  { deadlineMs }: WatchedStatement,
  turn: number,
  reason: string,
  ports: Ports,
): Promise<boolean> {
  return waitWithin(
    { reason, turn, shortestMs: SHORTEST_LOOK_MS, longestMs: LONGEST_LOOK_MS, deadlineMs },
    ports,
  );
}

function willPass(cause: unknown, firstRefusalMs: number, { clock }: Ports): cause is DatabaseFailure {
  return (
    cause instanceof DatabaseFailure &&
    cause.ran === 'no' &&
    WILL_PASS.includes(cause.kind) &&
    clock.now() - firstRefusalMs < REFUSED_PATIENCE_MS
  );
}

function isThere(form: LoneForm, { index }: Sighting): boolean {
  if (form.kind === 'create-index') return index?.valid === true;
  return form.kind === 'drop-index' && index === null;
}

function tellRemoval({ migration }: LoneOrder, index: string, { tell }: Ports): void {
  tell({ note: 'progress', migration, message: `removing the unfinished index ${index}` });
}

function indexInTheWay(row: Row): ForerunError {
  const name = typeof row['index_name'] === 'string' ? row['index_name'] : 'of this name';
  return new ForerunError('statement-refused', {
    what: `The index ${name} is there already${row['index_valid'] === true ? '' : ', and unfinished'}, and no run of this history began it.`,
    state: 'It was not sent.',
    next: `Look at the index; drop it with \`drop index concurrently ${name}\`, or give the new one another name.`,
  });
}
