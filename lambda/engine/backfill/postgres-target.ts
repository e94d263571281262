import { digestOf } from '../ledger.ts';

/** The table that holds the frozen set of a backfill; it lies beside the journal and goes when the backfill is done. */
export const targetTable = (history: string, backfill: string): string =>
  `forerun.target_${digestOf(`${history}/${backfill}`)}`;
