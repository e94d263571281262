import { DatabaseFailure } from '../database-failure.ts';
import { largestRange, splitRange, type Largest } from './postgres-split.ts';
import { takeRange, type Taken, type Taker } from './postgres-take.ts';
import { answerOf } from './range-view.ts';
import { verdictOn } from './failure.ts';
import { rowsOf, type Worker } from './worker.ts';

/** A backfill that the journal does not know is one that was taken back. */
const FORGOTTEN: Taken = {
  state: 'cancelled',
  reason: 'the journal does not know it',
  parallel: 1,
  open: 0,
  busy: 0,
  freeInMs: null,
  range: null,
  outbid: false,
  version: '0',
  total: null,
  scanned: 0,
};

/**
 * Takes a range that nobody works on. Where others are at work on all of them, what is left of the largest is split and its
 * second half taken.
 */
export async function findRange(worker: Worker): Promise<Taken> {
  const { place, checksum, name, leaseMs } = worker;
  const taker: Taker = { ...place, checksum, worker: name, leaseMs };
  const bid = async (): Promise<Taken> =>
    answerOf<Taken>(await rowsOf(takeRange(taker), worker.ports)) ?? FORGOTTEN;
  let taken = await bid();
  // Each time another one has succeeded.
  while (taken.outbid) taken = await bid();
  const idle = taken.state === 'running' && taken.range === null && taken.open > 0;
  return idle && taken.busy < taken.parallel
    ? { ...taken, range: await split(taker, taken.version, worker) }
    : taken;
}

/** The new range; null where none is large enough, its holder was too long at a batch, or it will meet the same trouble. */
async function split(
  taker: Taker,
  version: string,
  { place, spec, key, ports }: Worker,
): Promise<number | null> {
  try {
    const largest = answerOf<Largest>(await rowsOf(largestRange(place, spec, key), ports));
    if (largest === null) return null;
    const statement = splitRange(taker, { ...largest, version }, spec, key);
    const { rows } = await ports.database.execute(statement, { rows: true });
    return answerOf<{ readonly range: number | null }>(rows)?.range ?? null;
  } catch (cause) {
    // Where the answer got lost the range may be made; then it bears our name, and the next look finds it.
    if (cause instanceof DatabaseFailure && verdictOn(cause) !== 'away' && verdictOn(cause) !== 'unable')
      return null;
    throw cause;
  }
}
