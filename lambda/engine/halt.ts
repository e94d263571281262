import type { GroupEnd } from './apply-group.ts';
import { DatabaseFailure } from './database-failure.ts';
import type { ForerunError } from './errors.ts';

/** How a migration outside a transaction ended. */
export type AloneEnd =
  | Exclude<GroupEnd, { end: 'failed' | 'conflict' }>
  /** It stopped at an error; `partial` tells whether something of it stands or is still to be cleared away. */
  | { readonly end: 'failed' | 'conflict'; readonly error: ForerunError; readonly partial: boolean }
  /** A statement is at work in the database, and the run's time is over. */
  | { readonly end: 'working'; readonly error: ForerunError };

/** Stops a migration's code from inside one of its statements. */
export class Halt extends Error {
  override readonly name = 'Halt';
  readonly end: AloneEnd;
  constructor(end: AloneEnd) {
    super(end.end);
    this.end = end;
  }
}

/** A lost answer is decided by the journal alone. */
export async function halting<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure) || cause.ran !== 'unknown') throw cause;
    throw new Halt({ end: 'unknown', reason: cause.message });
  }
}
