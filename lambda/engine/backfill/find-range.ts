import { DatabaseFailure } from '../database-failure.ts';
import { largestRange, splitRange, type Largest, type SplitEnd } from './postgres-split.ts';
import { takeRange, type Taken, type Taker } from './postgres-take.ts';
import { answerOf } from './range-view.ts';
import { verdictOn } from './failure.ts';
import { rest, rowsOf, type Worker } from './worker.ts';

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

const NO_SPLIT: SplitEnd = { range: null, outbid: false };

/** How often a bid is made again at once, and the pause before, in milliseconds: a split may be waiting for a batch. */
const MOST_BIDS = 10;
const OUTBID_MS = 100;

/**
 * Takes a range that nobody works on. Where others are at work on all of them, what is left of the largest is split and its
 * second half taken.
 */
export async function findRange(worker: Worker): Promise<Taken> {
  const { place, checksum, name, leaseMs } = worker;
  const taker: Taker = { ...place, checksum, worker: name, leaseMs };
  for (let bids = 1; ; bids++) {
    const taken = answerOf<Taken>(await rowsOf(takeRange(taker), worker.ports)) ?? FORGOTTEN;
    let { outbid, range } = taken;
    const idle = taken.state === 'running' && range === null && taken.open > 0;
    if (idle && !outbid && taken.busy < taken.parallel) {
      ({ outbid, range } = await split(taker, taken.version, worker));
    }
    if (!outbid || bids === MOST_BIDS || !(await rest(worker, OUTBID_MS))) return { ...taken, range };
  }
}

/** No new range where none is large enough, its holder was too long at a batch, or it will meet the same trouble. */
async function split(taker: Taker, version: string, { place, spec, key, ports }: Worker): Promise<SplitEnd> {
  try {
    const largest = answerOf<Largest>(await rowsOf(largestRange(place, spec, key), ports));
    if (largest === null) return NO_SPLIT;
    const statement = splitRange(taker, { ...largest, version }, spec, key);
    const { rows } = await ports.database.execute(statement, { rows: true });
    return answerOf<SplitEnd>(rows) ?? NO_SPLIT;
  } catch (cause) {
    // Where the answer got lost the range may be made; then it bears our name, and the next look finds it.
    if (cause instanceof DatabaseFailure && verdictOn(cause) !== 'away' && verdictOn(cause) !== 'unable')
      return NO_SPLIT;
    throw cause;
  }
}
