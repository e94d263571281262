import { tolerate } from '../database-failure.ts';
import { repeatable } from '../lease.ts';
import type { KeyTexts } from './backfill.ts';
import { isMisfit, kept, messageOf, verdictOn, type Verdict } from './failure.ts';
import { withBatch, type PacePoint } from './pace.ts';
import { nextKeyStatement, type Step } from './postgres-batch.ts';
import { beginSweep } from './postgres-seat.ts';
import { freeRange, readRange } from './postgres-state.ts';
import { answerOf, type RangeView, type Sample, type StepAnswer } from './range-view.ts';
import { LEAST_ROWS, MOST_ROWS, shrunk, sized, startingSize, type Sizing } from './sizing.ts';
import type { BackfillState } from './states.ts';
import { makeStep, peek } from './step.ts';
import { hold, rest, rowsOf, type Worker } from './worker.ts';

/** How the work on one range came to its end. */
export type RangeEnd =
  | { readonly end: 'ended' }
  /** The worker's time is over, for example while it waited. */
  | {
      readonly end: 'time';
      readonly why: string | null;
      /** How long its next step must not be made yet, in milliseconds. */
      readonly restMs: number;
    }
  /** Somebody else works on it, or a person stopped the backfill. */
  | { readonly end: 'left' }
  /** It cannot go on without a person. */
  | {
      readonly end: 'trouble';
      readonly to: 'paused' | 'failed';
      readonly reason: string;
      readonly cause: unknown;
    };

/** Attempts of a batch, and the pauses between them in milliseconds (Backfila: 5, 15 and 30 seconds). */
const PAUSES_MS: readonly number[] = [5_000, 15_000];
/** Share of a batch's time that is left to others after it, where there are others (gh-ost's nice-ratio). */
const NICE = 0.25;
/** Between two looks while something is waited for, in milliseconds. */
const LOOK_MS = 1_000;

/**
 * What a batch may end with because it wrote a row that it would have left alone if it had asked: that row breaks a rule which
 * holds for what is written only, or somebody else has it.
 */
const OF_ITS_ROWS: readonly Verdict[] = ['rows', 'hopeless', 'conflict'];

/** After so many lost answers for one step the next one is smaller. */
const LOST_IN_A_ROW = 3;

/** After so many rounds in which the same rows lost against other writers they are locked before they are read. */
const PATIENT_ROUNDS = 3;

/** Samples of the progress that are kept, and how far they lie apart: enough for the rate of the last minute. */
const SAMPLES = 12;
const SAMPLE_EVERY_MS = 5_000;

interface Held {
  readonly range: RangeView;
  readonly pace: readonly PacePoint[];
  readonly token: string;
  readonly revision: string;
  readonly mine: boolean;
  readonly state: BackfillState;
  readonly mostRows: number | null;
  /** How much is left of the pause after its last step, in milliseconds: by the database's clock, which all workers share. */
  readonly restMs: number;
}

const outOfTime = (why: string | null, restMs = 0): RangeEnd => ({ end: 'time', why, restMs });

/** Batch after batch on a range that was taken, until it is done, the time is over or the lease is somebody else's. */
export async function workRange(number: number, worker: Worker): Promise<RangeEnd> {
  const { ports, place, spec, name, leaseMs } = worker;
  const { clock, tell } = ports;
  const bidder = { ...place, range: number, worker: name, leaseMs };
  const read = async (): Promise<Held | null> => answerOf<Held>(await rowsOf(readRange(bidder), ports));
  const taken = await read();
  if (taken === null || !taken.mine || taken.state !== 'running') return { end: 'left' };
  if (taken.range.ended) return { end: 'ended' };

  let held: Held = taken;
  const fresh = held.range.scanned === 0 ? worker.learnt.sizing : null;
  let sizing: Sizing = fresh ?? startingSize(held.range.batchRows);
  let mostRows = held.mostRows ?? MOST_ROWS;
  let recent: readonly Sample[] = held.range.recent;
  let { pace } = held;
  let trusted = false;
  let peeked = spec.frozen || spec.where === null;
  let awaited = false;
  let attempts = 0;
  let lost = 0;
  let rounds = 0;
  /** Rows that are still to be got through behind a batch that failed: there nobody waits before splitting again. */
  let suspect = 0;

  const stepNow = (): Step => ({
    seat: { ...bidder, token: held.token, revision: held.revision, lockTimeoutMs: spec.tuning.lockTimeoutMs },
    id: place.backfill,
    backfill: spec,
    key: worker.key,
    cursor: held.range.cursor,
    upper: held.range.upper,
    rows: Math.min(sizing.rows, mostRows),
    sweeping: held.range.pass > 1,
    asking: held.range.pass > 1 || worker.learnt.alike,
    recent: JSON.stringify(recent),
    statementTimeoutMs: worker.statementTimeoutMs,
    pace: JSON.stringify(pace),
  });

  const leave = async (end: RangeEnd): Promise<RangeEnd> => {
    // A lease that is not freed ends by itself.
    const freed = freeRange({ ...bidder, token: held.token, pace: JSON.stringify(pace) });
    await repeatable(freed, ports).catch(tolerate);
    return end;
  };

  /** Null when the work goes on. */
  const waitFor = async (reason: string): Promise<RangeEnd | null> =>
    (await hold(worker, reason)) ? null : outOfTime(reason);

  /** Null when the work goes on. */
  const afterFailure = async (cause: unknown, step: Step): Promise<RangeEnd | null> => {
    const verdict = verdictOn(cause);
    trusted = false;
    switch (verdict) {
      case 'unknown': {
        tell({ note: 'unknown', reason: messageOf(cause) });
        const now = await read();
        if (now === null || !now.mine || now.token !== held.token) return { end: 'left' };
        lost = now.revision === held.revision ? lost + 1 : 0;
        held = now;
        if (held.range.ended) return { end: 'ended' };
        // An answer that is lost each time may be a request that is too much for somebody on the way.
        if (lost >= LOST_IN_A_ROW) sizing = shrunk(step.rows);
        const forMs = Math.max(Math.min(lost, LOST_IN_A_ROW) * LOOK_MS, now.restMs);
        return (await rest(worker, forMs)) ? null : outOfTime(messageOf(cause), now.restMs);
      }
      case 'away':
        throw cause;
      case 'unable':
        return waitFor(messageOf(cause));
      case 'hopeless':
        return { end: 'trouble', to: 'failed', reason: kept(cause), cause };
      case 'too-large':
      case 'conflict':
      case 'interrupted':
      case 'rows': {
        attempts += 1;
        const patient = verdict !== 'too-large' && (verdict !== 'rows' || (suspect <= 0 && !isMisfit(cause)));
        const pauseMs = patient ? PAUSES_MS[attempts - 1] : undefined;
        if (pauseMs !== undefined) {
          tell({ note: 'waiting', reason: messageOf(cause), forMs: pauseMs });
          const forMs = pauseMs * (0.75 + ports.random() / 2);
          return (await rest(worker, forMs)) ? null : outOfTime(messageOf(cause));
        }
        attempts = 0;
        if (step.rows > LEAST_ROWS) {
          suspect = Math.max(suspect, step.rows);
          sizing = shrunk(step.rows);
          return null;
        }
        // Whoever holds the lock lets go of it some time.
        if (verdict === 'conflict') return waitFor(messageOf(cause));
        // No row is to blame: the next worker may try again.
        if (verdict === 'interrupted') throw cause;
        return { end: 'trouble', to: 'paused', reason: `${kept(cause)} at ${await nameOf(step)}`, cause };
      }
    }
  };

  const nameOf = async (step: Step): Promise<string> => {
    const [again] = held.range.redo;
    const rows = again === undefined ? await rowsOf(nextKeyStatement(step), ports).catch(tolerate) : [];
    const next = again ?? answerOf<{ key: readonly string[] }>(rows ?? [])?.key;
    const names = worker.key.map((one) => one.name).join(', ');
    return `${spec.name} (${names}) = (${(next ?? ['the end']).join(', ')})`;
  };

  if (!(await rest(worker, held.restMs))) return leave(outOfTime(null, held.restMs));
  for (;;) {
    if (clock.now() > worker.untilMs) return leave(outOfTime(null));
    if (worker.surplus() || !(await worker.mayGoOn())) return leave({ end: 'left' });
    const heavy = await worker.throttle.reason();
    if (heavy !== null) {
      const end = await waitFor(heavy);
      if (end !== null) return leave(end);
      continue;
    }
    const step = stepNow();
    worker.onBatch?.();
    const peeking = !peeked && held.range.pass > 1 && held.range.redo.length === 0;
    const tried = held.range.redo.slice(0, step.rows);
    const insisting = rounds >= PATIENT_ROUNDS && tried.length > 0;
    const beganMs = clock.now();
    let answer: StepAnswer | null;
    try {
      if (held.range.pass > 1 && !awaited) {
        await rowsOf(beginSweep(bidder), ports);
        awaited = true;
      }
      const way = { probing: !trusted, insisting };
      answer = await (peeking ? peek(step, worker) : makeStep(step, held.range, worker, way));
    } catch (cause) {
      if (peeking && verdictOn(cause) === 'too-large') {
        peeked = true;
        continue;
      }
      if (spec.form.kind === 'set' && !step.asking && OF_ITS_ROWS.includes(verdictOn(cause))) {
        worker.learnt.alike = true;
        continue;
      }
      const end = await afterFailure(cause, step);
      if (end !== null) return leave(end);
      continue;
    }
    // A batch counts though somebody stopped the backfill while it was under way.
    const stopped = answer?.backfill?.state !== 'running';
    if (answer === null || answer.backfill === null || !answer.mine || (stopped && answer.range === null)) {
      return leave({ end: 'left' });
    }
    if (answer.waits) {
      const reason = 'transactions to end that may have written behind the cursor';
      tell({ note: 'waiting', reason, forMs: LOOK_MS });
      if (!(await rest(worker, LOOK_MS))) return leave(outOfTime(reason));
      continue;
    }
    if (answer.range === null || answer.revision === null) {
      // A copy of an earlier request of ours came through meanwhile.
      const now = await read();
      if (now === null || !now.mine || now.token !== held.token) return leave({ end: 'left' });
      held = now;
      if (held.range.ended) return leave({ end: 'ended' });
      if (!(await rest(worker, held.restMs))) return leave(outOfTime(null, held.restMs));
      continue;
    }
    const tookMs = clock.now() - beganMs;
    held = { ...held, range: answer.range, revision: answer.revision };
    pace = withBatch(pace, [beganMs, 1, answer.seen, tookMs]);
    if (peeking) {
      if (held.range.ended) return leave({ end: 'ended' });
      peeked = true;
      continue;
    }
    mostRows = answer.backfill.mostRows ?? MOST_ROWS;
    worker.wanted(answer.backfill.parallel);
    const { targetMs } = spec.tuning;
    if (trusted) {
      sizing = sized({ ...sizing, rows: step.rows }, answer.seen, costOf(answer, tookMs, targetMs), targetMs);
    }
    if (held.range.pass === 1) worker.learnt.sizing = { ...sizing, rows: Math.min(sizing.rows, mostRows) };
    trusted = true;
    attempts = 0;
    lost = 0;
    suspect -= answer.seen;
    recent = sampled(recent, clock.now(), held.range.scanned);
    tell({
      note: 'batch',
      backfill: place.backfill,
      range: number,
      rows: answer.seen,
      changed: answer.changed,
      milliseconds: tookMs,
      nextRows: Math.min(sizing.rows, mostRows),
    });
    if (held.range.ended) return leave({ end: 'ended' });
    rounds = lostAgain(tried, held.range) ? rounds + 1 : 0;
    if (insisting && rounds > 0) {
      const reason = `something (a trigger, a rule or a policy) keeps the row from being changed at ${await nameOf(step)}`;
      return leave({ end: 'trouble', to: 'paused', reason, cause: null });
    }
    if (stopped) return leave({ end: 'left' });
    const pauseMs = Math.max(answer.backfill.pauseMs, worker.throttle.alone() ? 0 : NICE * tookMs);
    if (!(await rest(worker, pauseMs))) return leave(outOfTime(null, pauseMs));
  }
}

/** Those that lose come first among the rows that are still to be read again. */
const lostAgain = (tried: readonly KeyTexts[], { redo: [first] }: RangeView): boolean =>
  first !== undefined && tried.some((key) => key.every((text, at) => text === first[at]));

/** So much beside the work on its rows passes only where a call has waited for a lock on the table. */
const costOf = ({ workedMs }: StepAnswer, tookMs: number, targetMs: number): number =>
  typeof workedMs === 'number' && tookMs - workedMs > targetMs ? workedMs : tookMs;

function sampled(recent: readonly Sample[], nowMs: number, scanned: number): readonly Sample[] {
  const last = recent.at(-1);
  if (last !== undefined && nowMs - last[0] < SAMPLE_EVERY_MS) return recent;
  return [...recent, [nowMs, scanned] as const].slice(-SAMPLES);
}
