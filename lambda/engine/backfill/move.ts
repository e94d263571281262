import type { Ports } from '../ports.ts';
import type { BackfillPlace } from './postgres-prepare.ts';
import { moveBackfill, takeLeases, type Move } from './postgres-state.ts';
import { rowsOf } from './worker.ts';

/**
 * Moves a backfill along an edge of its states; when it was stopped and this has returned, no batch can commit any more. The state
 * is committed first, so that no worker begins another batch while those under way are waited for.
 */
export async function moveAlong(move: Move, ports: Ports): Promise<void> {
  await rowsOf(moveBackfill(move), ports);
  await endBatches(move, ports);
}

/**
 * Waits for the batches under way of a backfill that was stopped, and takes the leases behind them. It is a statement of its own: while
 * the one before it waited, a split may have made another lease, which only a later snapshot shows.
 */
export async function endBatches({ history, backfill }: BackfillPlace, ports: Ports): Promise<void> {
  await rowsOf(takeLeases({ history, backfill }), ports);
}
