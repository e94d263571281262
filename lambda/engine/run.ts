import { applyAlone } from './apply-alone.ts';
import { asStep, isBackfill, workInRun, type HeldEnd } from './backfill/in-run.ts';
import { isStopped } from './backfill/states.ts';
import { applyGroup, type GroupEnd } from './apply-group.ts';
import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import { databaseUnavailable, outOfTime } from './failure-text.ts';
import type { GroupWork } from './group-work.ts';
import type { AloneEnd } from './halt.ts';
import { LEDGER_PAGE, type LedgerEntry } from './ledger.ts';
import {
  bidFor,
  heldByAnother,
  noteRun,
  readJournal,
  releaseLease,
  repeatable,
  storedForm,
  waitForTurn,
} from './lease.ts';
import { JOURNAL_VERSION, type Dialect, type JournalView, type RunIdentity } from './journal.ts';
import { RESERVE_MS, type RunLimits } from './limits.ts';
import { HEAD, type Migration } from './migration.ts';
import type { RunResult } from './outcome.ts';
import { makePlan, unfinishedBackfills, type Goal, type Plan } from './plan.ts';
import type { Ports } from './ports.ts';
import { startRecord, type RunRecord } from './run-record.ts';

export interface RunRequest {
  readonly identity: RunIdentity & { readonly action: 'up' | 'down' };
  /** The bundle's migrations in history order. */
  readonly history: readonly Migration[];
  /** What runs after the history whenever its checksum changed, in this order. @default none */
  readonly repeatables?: readonly Migration[];
  readonly goal: Goal;
  /** By when the run must have answered, in milliseconds since 1970. */
  readonly deadlineMs: number;
  readonly limits: RunLimits;
  /** Return instead of waiting when another run of the same owner still works: the deploy has overtaken itself. */
  readonly yieldToOwnRun: boolean;
}

/** How long a group is repeated that gave way to other sessions (a lock not got in time) or lost an answer before its commit. */
const CONFLICT_PATIENCE_MS = 120_000;

/**
 * The whole algorithm. Each turn starts from what the journal says. The lease is taken only if nothing was written since
 * that reading and no older transaction is open; so whatever got lost before, a bid that wins makes the reading decisive.
 */
export async function run(
  request: RunRequest,
  given: Ports,
  dialect: Dialect,
): Promise<RunResult | 'overtaken'> {
  const record = startRecord(request.identity, given.database.calls, given.hide);
  const ports = heardBy(record, given);
  let firstConflictMs: number | null = null;
  try {
    for (let turn = 0; ; turn += 1) {
      const view = await readJournal(request, ports, dialect, idleEnd(request, record));
      if (view.asked !== null && view.asked.result !== null) return storedResult(view.asked.result);
      if (view.overruled || view.ended) {
        const refused = record.end(overruled(view, record));
        if (!view.ended) await noteRun({ ...request.identity, runKey: null }, refused, ports, dialect);
        return refused;
      }
      if (heldByAnother(view, request.identity)) {
        if (request.yieldToOwnRun && isOvertaking(view, request.identity)) return 'overtaken';
        await waitForTurn(view, request, ports, turn);
        continue;
      }
      const plan = makePlan(request.history, view, request.goal, request.repeatables);
      record.learn(plan, view);
      ports.tell({
        note: 'backfills',
        stopped: view.backfills.filter(({ state }) => isStopped(state)).length,
      });
      if (view.holder === null && plan.groups.length === 0) {
        const nothing = record.end(plan.refusals[0] ?? null);
        if (!view.noted && view.version <= JOURNAL_VERSION)
          await noteRun(request.identity, nothing, ports, dialect);
        return nothing;
      }
      const token = await bidFor(view, request, ports, dialect);
      if (token === null) {
        await waitForTurn(view, request, ports, turn);
        continue;
      }
      record.decide(view);
      const end = await applyPlan(plan, view, token, request, record, ports, dialect);
      if (end.end === 'conflict') {
        firstConflictMs ??= ports.clock.now();
        if (
          ports.clock.now() - firstConflictMs < CONFLICT_PATIENCE_MS &&
          (await pause(turn, end.error, request, ports))
        )
          continue;
      } else if (end.end === 'again') {
        await waitForTurn(view, request, ports, turn);
        continue;
      }
      const result = record.end(end.error);
      // Who asks again while a statement is still at work shall wait for it, and not get this end back.
      const counted = { ...result, dataApiCalls: result.dataApiCalls + 1 };
      const stored = end.error?.code === 'statement-running' ? null : counted;
      await releaseLease(
        request.identity,
        token,
        { outcome: result.outcome, result: stored },
        ports,
        dialect,
      );
      return record.end(end.error);
    }
  } catch (cause) {
    const known = cause instanceof ForerunError && cause.code === 'statement-running';
    const ended = record.end(
      record.hasUnknown() && !known ? outcomeUnknown(cause) : endedEarly(cause, record),
    );
    // Who asks again under the same key shall wait again, and not get this end back.
    if (ended.error?.code === 'lease-busy')
      await noteRun({ ...request.identity, runKey: null }, ended, ports, dialect);
    return ended;
  }
}

/** The record counts what the run tells. */
const heardBy = (record: RunRecord, ports: Ports): Ports => ({
  ...ports,
  tell(note) {
    record.hear(note);
    ports.tell(note);
  },
});

/** What the first reading may write by itself, because a deploy with nothing to do is to cost one call. */
function idleEnd({ identity, goal }: RunRequest, record: RunRecord): { readonly idle?: string } {
  if (goal.direction !== 'up' || goal.to !== HEAD || record.applied().length > 0) return {};
  const result = record.end(null);
  return { idle: storedForm({ ...result, runId: identity.runId, dataApiCalls: result.dataApiCalls + 1 }) };
}

type PlanEnd =
  | { readonly end: 'done'; readonly error: ForerunError | null }
  /** Nothing of the group stays; a repetition is sensible. */
  | { readonly end: 'conflict'; readonly error: ForerunError }
  /** The journal must be read again before anything is known. */
  | { readonly end: 'again' };

async function applyPlan(
  plan: Plan,
  view: JournalView,
  token: bigint,
  request: RunRequest,
  record: RunRecord,
  ports: Ports,
  dialect: Dialect,
): Promise<PlanEnd> {
  if (plan.refusals[0] !== undefined) return { end: 'done', error: plan.refusals[0] };
  ports.tell({
    note: 'planned',
    migrations: plan.groups.flat().map(({ id }) => id),
    groups: plan.groups.length,
  });
  const unfinished = new Set(unfinishedBackfills(request.history, view));
  for (const group of plan.groups) {
    if (ports.clock.now() > request.deadlineMs - 2 * RESERVE_MS) {
      const error = outOfTime('Too little time was left to start the next migrations.', record.standing());
      return { end: 'done', error };
    }
    const unprepared = await prepare(group, record);
    if (unprepared !== null) return { end: 'done', error: unprepared };
    const steps = group.map((step) => asStep(step, request.identity.history));
    const work = { ...request, group: steps, direction: plan.direction, token, committed: record.applied() };
    const held =
      plan.direction === 'up'
        ? await workFirst(group, unfinished, { ...request, token }, record, ports)
        : null;
    if (held?.end === 'failed' && !group.some(({ id }) => id === held.error.place.migration)) {
      return { end: 'done', error: held.error };
    }
    const ended = held ?? (await applyOne(work, view, ports, dialect));
    const ids = group.map(({ id }) => id);
    switch (ended.end) {
      case 'committed':
        record.mark(group, 'applied');
        ports.tell({ note: 'committed', migrations: ids });
        break;
      case 'failed':
      case 'conflict': {
        const partial = 'partial' in ended && ended.partial;
        record.mark(group, partial ? 'partial' : 'rolled-back');
        ports.tell({
          note: partial ? 'partial' : 'rolled-back',
          migrations: ids,
          reason: ended.error.text.what,
        });
        return { end: ended.end === 'failed' ? 'done' : 'conflict', error: ended.error };
      }
      case 'working':
        record.mark(group, 'unknown');
        return { end: 'done', error: ended.error };
      case 'unknown':
        record.mark(group, 'unknown');
        ports.tell({ note: 'unknown', reason: ended.reason });
        return { end: 'again' };
      case 'fenced':
        ports.tell({ note: 'rolled-back', migrations: ids, reason: 'another run took the lease over' });
        return { end: 'again' };
    }
  }
  return { end: 'done', error: null };
}

/** The backfills that must be done before a group: those that it needs, and its own if the deploy waits for it. */
async function workFirst(
  group: readonly Migration[],
  unfinished: Set<string>,
  run: RunRequest & { readonly token: bigint },
  record: RunRecord,
  ports: Ports,
): Promise<Exclude<HeldEnd, { end: 'done' }> | null> {
  const needed = new Set(group.filter(({ skipped }) => skipped !== true).flatMap(({ needs = [] }) => needs));
  const first = run.history.filter(({ id }) => needed.has(id) && unfinished.has(id));
  for (const one of [...first, ...group.filter(({ backfill }) => backfill?.hold === true)]) {
    if (!isBackfill(one)) continue;
    const ended = await workInRun(one, run, ports);
    if (ended.end !== 'done') return ended;
    unfinished.delete(one.id);
    if (!one.backfill.hold) record.backfillDone(one.id);
  }
  return null;
}

/** What the migrations need from outside is fetched before a transaction that could stand idle meanwhile. */
async function prepare(group: readonly Migration[], record: RunRecord): Promise<ForerunError | null> {
  try {
    for (const step of group) if (step.skipped !== true) await step.prepare?.();
    return null;
  } catch (cause) {
    if (!(cause instanceof ForerunError)) throw cause;
    return new ForerunError(
      cause.code,
      { ...cause.text, state: record.standing() },
      { place: cause.place, cause },
    );
  }
}

async function applyOne(
  work: GroupWork,
  { unfinished }: JournalView,
  ports: Ports,
  dialect: Dialect,
): Promise<GroupEnd | AloneEnd> {
  const [first] = work.group;
  if (first?.alone === undefined) return applyGroup(work, ports, dialect);
  const begun = unfinished.some(
    ({ migration, direction }) => migration === first.id && direction === work.direction,
  );
  const ledger = begun ? await readLedger(first, work, ports, dialect) : [];
  return applyAlone({ ...work, migration: first, ledger }, ports, dialect);
}

/** The lease is ours, so nothing is added meanwhile. */
async function readLedger(
  { id }: Migration,
  { identity, direction }: GroupWork,
  ports: Ports,
  dialect: Dialect,
): Promise<readonly LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for (;;) {
    const after = entries.at(-1)?.number ?? 0;
    const question = { history: identity.history, migration: id, direction, after };
    const { rows } = await repeatable(dialect.entries(question), ports);
    // Built by our own statement in the dialect.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const page = (rows[0]?.['entries'] ?? []) as unknown as readonly LedgerEntry[];
    entries.push(...page);
    if (page.length < LEDGER_PAGE) return entries;
  }
}

/** Another run of our own resource, and not the one that our own key asked for. */
function isOvertaking({ holder, asked }: JournalView, { owner }: RunIdentity): boolean {
  return holder !== null && owner !== null && holder.owner === owner && holder.runId !== asked?.runId;
}

/** False when the time does not suffice for a pause and another attempt. */
async function pause(
  turn: number,
  { text }: ForerunError,
  { deadlineMs }: RunRequest,
  { clock, random, tell }: Ports,
): Promise<boolean> {
  const waitMs = Math.min(10_000, 500 * 2 ** turn) * (0.5 + random() / 2);
  if (clock.now() + waitMs > deadlineMs - 3 * RESERVE_MS) return false;
  tell({ note: 'waiting', reason: text.what, forMs: Math.round(waitMs) });
  await clock.sleep(waitMs);
  return true;
}

/** What a run with the same key ended with; it was written by `releaseLease`. */
function storedResult(stored: unknown): RunResult {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { ...(stored as RunResult), dataApiCalls: 1, repeated: true };
}

function overruled({ ended }: JournalView, record: RunRecord): ForerunError {
  return new ForerunError('run-overruled', {
    what: ended
      ? 'This run was ended by a newer one of the same deploy, or its request was handed in twice.'
      : 'A newer request of the same deploy, a rollback for example, was taken up before this one could work.',
    state: record.standing(),
    next: 'Nothing is to be done here: look at the newer request, or deploy again.',
  });
}

function outcomeUnknown(cause: unknown): ForerunError {
  return new ForerunError(
    'outcome-unknown',
    {
      what: `The answer to a commit was lost, and the journal could not be read again in time: ${cause instanceof Error ? cause.message : String(cause)}`,
      state: 'Whether the migrations marked unknown are applied is not known yet.',
      next: 'Run again: the next run reads the journal, knows, and does what is left.',
    },
    { cause },
  );
}

/** The run could not go on; what it has committed stands, whatever the error knows of it. */
function endedEarly(cause: unknown, record: RunRecord): ForerunError {
  if (cause instanceof DatabaseFailure) return databaseUnavailable(cause, record.standing());
  if (!(cause instanceof ForerunError)) throw cause;
  if (record.applied().length === 0) return cause;
  return new ForerunError(
    cause.code,
    { ...cause.text, state: record.standing() },
    { place: cause.place, cause },
  );
}
