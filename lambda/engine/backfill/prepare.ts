import { DatabaseFailure } from '../database-failure.ts';
import type { Row } from '../ports.ts';
import type { Backfill, KeyColumn } from './backfill.ts';
import { captureTarget, createRanges, createTarget, describeKey } from './postgres-prepare.ts';
import type { BackfillView } from './range-view.ts';
import { viewBackfill, rest, rowsOf, type Worker } from './worker.ts';

/** The key with its types, or why it cannot be walked over. */
export type KeyFound =
  | {
      readonly key: readonly KeyColumn[];
      /** Something may change a row beside what an `update` of it says. */
      readonly triggered: boolean;
    }
  | { readonly flaw: string };

/** More ranges than workers, so that those who are done early find more work without a split. */
const RANGES_A_WORKER = 4;

/** Between two looks at a capture that outlasts its call, in milliseconds. */
const LOOK_MS = 2_000;

/** Asks the catalog whether the key is usable, and of which types it is. */
export async function findKey(spec: Backfill, { ports }: Pick<Worker, 'ports'>): Promise<KeyFound> {
  const [row] = await rowsOf(describeKey(spec), ports);
  return row === undefined ? { flaw: 'the catalog gave no answer' } : keyOf(spec, row);
}

interface DescribedColumn {
  readonly name: string;
  readonly type: string | null;
  readonly notNull: boolean | null;
  readonly orderable: boolean;
}

function keyOf(spec: Backfill, row: Row): KeyFound {
  if (row['there'] !== true) return { flaw: `there is no table ${spec.name}` };
  // Built by our own statement.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const columns = row['columns'] as unknown as readonly DescribedColumn[];
  for (const { name, type, notNull, orderable } of columns) {
    if (type === null) return { flaw: `${spec.name} has no column ${name}` };
    if (!orderable) return { flaw: `the type ${type} of ${name} has no order` };
    if (notNull !== true)
      return { flaw: `${name} may be null, and rows without a key would never be reached` };
  }
  const names = columns.map(({ name }) => name).join(', ');
  if (row['usable'] !== true) {
    return {
      flaw: `no unique index of ${spec.name} has exactly the columns (${names}) in this order, without a condition, all in one direction and of the default operator class of their types`,
    };
  }
  if (row['inherited'] === true) {
    return {
      flaw: `${spec.name} has child tables that are no partitions of it, and a key that is unique in it may be there again in each of them`,
    };
  }
  // Built by our own statement.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const meets = row['into_unique'] as unknown as Readonly<Record<string, string>> | null;
  if (spec.form.kind === 'insert') {
    if (row['into_there'] !== true) return { flaw: `there is no table ${spec.form.into}` };
    if (!spec.frozen && meets === null) {
      return {
        flaw: `${spec.form.into} has no unique index over exactly the columns, not null, that are given the key (${names}) as it is, so a row could be copied twice: add one, or write frozen: true`,
      };
    }
  }
  return {
    triggered: row['triggered'] === true,
    key: spec.key.map((one, at) => {
      const type = widest(columns[at]?.type ?? 'text');
      const copied = spec.frozen ? undefined : meets?.[one.name];
      return copied === undefined ? { ...one, type } : { ...one, type, copied };
    }),
  };
}

/** Keys of these types are compared as the widest of them, so that a column may be made wider while the work goes on. */
function widest(type: string): string {
  if (type === 'smallint' || type === 'integer') return 'bigint';
  return type === 'character varying' ? 'text' : type;
}

/** Captures a frozen set and parts the keys into ranges. False when the time is over before that. */
export async function prepare(
  worker: Worker,
  { captured, parallel }: Pick<BackfillView, 'captured' | 'parallel'>,
): Promise<boolean> {
  const { place, checksum, spec, key, ports } = worker;
  if (spec.frozen && !captured) {
    await rowsOf(createTarget(place, spec), ports);
    while (!(await capture(worker))) if (!(await rest(worker, LOOK_MS))) return false;
  }
  const ranges = parallel === 1 ? 1 : parallel * RANGES_A_WORKER;
  await rowsOf(createRanges({ ...place, checksum }, spec, key, ranges), ports);
  return true;
}

/** True once the set is captured. A second statement waits for the first at the backfill's row, and then does nothing. */
async function capture({ place, checksum, spec, ports }: Worker): Promise<boolean> {
  try {
    await ports.database.execute(captureTarget({ ...place, checksum }, spec), {
      rows: false,
      beyondLimit: true,
    });
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure) || cause.ran !== 'unknown') throw cause;
  }
  const view = await viewBackfill(place, ports);
  return view === null || view.captured || view.state !== 'running';
}
