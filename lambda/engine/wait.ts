import { RESERVE_MS } from './limits.ts';
import type { Ports } from './ports.ts';

export interface Wait {
  readonly reason: string;
  /** Which wait in a row, from 0: each is twice as long as the one before, from the shortest to the longest. */
  readonly turn: number;
  readonly shortestMs: number;
  readonly longestMs: number;
  readonly deadlineMs: number;
  /** It is another run that is waited for. @default false */
  readonly lease?: boolean;
}

/** Waits a little, with jitter, and says so. False when the time does not suffice for it. */
export async function waitWithin(
  { reason, turn, shortestMs, longestMs, deadlineMs, lease = false }: Wait,
  { clock, random, tell }: Ports,
): Promise<boolean> {
  const waitMs = Math.min(longestMs, shortestMs * 2 ** turn) * (0.75 + random() / 2);
  if (clock.now() + waitMs > deadlineMs - RESERVE_MS) return false;
  tell({ note: 'waiting', reason, forMs: Math.round(waitMs), ...(lease ? { lease } : {}) });
  await clock.sleep(waitMs);
  return true;
}
