import type { Operator } from '../../lambda/engine/backfill/operate.ts';
import { DEFAULT_LIMITS } from '../../lambda/engine/limits.ts';
import type { Migration } from '../../lambda/engine/migration.ts';

/** Somebody who works on the backfills of a history, or moves them. */
export const operatorOf = (migrations: readonly Migration[], worker = 'w1'): Operator => ({
  history: 'default',
  migrations,
  worker,
  limits: DEFAULT_LIMITS,
});
