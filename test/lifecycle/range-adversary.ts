import { splitRange } from '../../lambda/engine/backfill/postgres-split.ts';
import type { Migration } from '../../lambda/engine/migration.ts';
import type { Database, Ports, Transaction } from '../../lambda/engine/ports.ts';
import type { FreshDatabase } from './workplace.ts';

/** A worker who wants a split where it hurts most: a few rows beyond the cursor, within the window of the next batch. */
export interface Adversary {
  split(): Promise<void>;
  made(): number;
}

const MOST_SPLITS = 8;

/** `columns` are those of the key of `thing`, the table that the backfill `id` works on. */
export function adversaryOf(
  id: string,
  history: readonly Migration[],
  database: FreshDatabase,
  columns: readonly string[],
): Adversary {
  const ports = database.ports();
  const texts = `jsonb_build_array(${columns.map((column) => `${column}::text`).join(', ')})`;
  let wanted = 0;
  let made = 0;
  return {
    made: () => made,
    async split() {
      if (wanted === MOST_SPLITS) return;
      const spec = history.find((one) => one.id === id)?.backfill;
      if (spec === undefined) throw new Missing();
      const [[row], all, [range]] = await Promise.all([
        database.query(`select key, xmin::text as version from forerun.backfill where id = '${id}'`),
        database.query(`select ${texts} as key from thing order by ${columns.join(', ')}`),
        database.query(
          `select number, lower_key, cursor_key, upper_key from forerun.backfill_range where not ended order by batches desc, number desc limit 1`,
        ),
      ]);
      if (range === undefined) return;
      wanted += 1;
      const key = (row?.['key'] ?? []) as [string, string][];
      const at = (end: unknown, otherwise: number): number =>
        end === null ? otherwise : all.findIndex((one) => JSON.stringify(one['key']) === JSON.stringify(end));
      const [lower, cursor] = [at(range['lower_key'], -1), at(range['cursor_key'], -1)];
      const upper = at(range['upper_key'], all.length - 1);
      // Those behind the cursor are too many for a place in the middle of all to lie beyond it.
      const keys = all.slice(lower + 1, Math.min(cursor + 7, upper)).map((one) => one['key'] as string[]);
      const taker = {
        history: 'default',
        backfill: id,
        checksum: `v1:${id}`,
        worker: 'adversary',
        leaseMs: 0,
      };
      const chosen = { range: Number(range['number']), keys, version: String(row?.['version']) };
      const statement = splitRange(
        taker,
        chosen,
        spec,
        key.map(([name, type]) => ({ name, column: `"${name}"`, type })),
      );
      const { rows: answered } = await ports.database.execute(statement, { rows: true });
      if ((answered[0]?.['answer'] as { range?: number } | null)?.range !== null) made += 1;
    },
  };
}

/** The history does not hold the backfill. */
class Missing extends Error {
  override readonly name = 'Missing';
}

/** Whatever the worker sends next, its range is split just before, or, inside a transaction, while it is open. */
export function splittingBefore(ports: Ports, { split }: Adversary, pending: Promise<void>[]): Ports {
  const { database } = ports;
  let calls = 0;
  const disturb = async (): Promise<void> => {
    calls += 1;
    if (calls % 3 === 0) await split();
  };
  const disturbed: Database = {
    ...database,
    async execute(statement, options) {
      await disturb();
      return database.execute(statement, options);
    },
    async begin() {
      await disturb();
      const transaction = await database.begin();
      const open: Transaction = {
        ...transaction,
        execute(statement, options) {
          calls += 1;
          // It waits at the lease until the transaction is over.
          if (calls % 3 === 0) pending.push(split());
          return transaction.execute(statement, options);
        },
      };
      return open;
    },
  };
  return { ...ports, database: disturbed };
}
