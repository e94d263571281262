import type { Statement } from '../ports.ts';
import type { Backfill, KeyColumn, KeyTexts } from './backfill.ts';
import { compared, keyCondition } from './key-conditions.ts';
import type { Seat } from './postgres-seat.ts';
import { targetTable } from './postgres-target.ts';

/** The keys that come next, and how many of them at most. */
export interface WindowStep {
  readonly seat: Pick<Seat, 'history' | 'backfill'>;
  readonly backfill: Backfill;
  readonly key: readonly KeyColumn[];
  /** The last key that is done; null before the first. */
  readonly cursor: KeyTexts | null;
  /** The last key of the range; null where it is open. */
  readonly upper: KeyTexts | null;
  /** Keys that the window holds at most. */
  readonly rows: number;
}

/** Names that an author's own columns and tables will hardly have: a query of ours hides tables of its name. */
export const keyName = (at: number): string => `forerun_k${at}`;

/**
 * The last of the next keys of the range. It is found by its place alone: keeping the keys, sorting and counting them would cost
 * more than the rest of a batch's reading. `forerun_filled` has a row where the window holds as many keys as it may; otherwise the
 * range ends within it. `forerun_ready` stands before it. The keys that are left are counted with a limit, though there are fewer: a
 * count of the whole range would raise the planner's cost of each batch with the size of the table, up to `jit_above_cost`.
 */
export function windowOf(step: WindowStep, guarded: boolean) {
  const walk = walkOf(step, guarded);
  const named = walk.columns.map((column, at) => `${column} as ${keyName(at)}`).join(', ');
  const downward = walk.columns.map((column) => `${column} desc`).join(', ');
  return {
    sql: `forerun_filled as materialized (
  select ${named} from ${walk.from} order by ${walk.columns.join(', ')} offset ${step.rows - 1} limit 1
), forerun_edge as materialized (
  select * from forerun_filled
  union all
  (select ${named} from ${walk.from} and not exists (select from forerun_filled) order by ${downward} limit 1)
), forerun_seen as materialized (
  select case when exists (select from forerun_filled) then ${step.rows}
    else (select pg_catalog.count(*) from (select from ${walk.from} limit ${step.rows}) as forerun_rest) end as keys
)`,
    parameters: walk.parameters,
    /** Keys of the window, as an expression. */
    seen: '(select keys from forerun_seen)',
    /** The range ends with this window, as a condition. */
    over: 'not exists (select from forerun_filled)',
    /** The first key of the window, as rows. */
    first: `select ${named} from ${walk.from} order by ${walk.columns.join(', ')} limit 1`,
  };
}

/** What is walked over, from behind the cursor to the end of the range. */
export function walkOf({ seat, backfill, key, cursor, upper }: WindowStep, guarded: boolean) {
  const { table, frozen } = backfill;
  const source = frozen ? targetTable(seat.history, seat.backfill) : table;
  const columns = key.map(({ column }, at) => (frozen ? `${source}.k${at}` : `${table}.${column}`));
  const above = keyCondition(columns, '>', key, cursor, 'c');
  const below = keyCondition(columns, '<=', key, upper, 'u');
  return {
    columns,
    from: `${source} where ${guarded ? 'exists (select from forerun_ready) and ' : ''}${above.sql} and ${below.sql}`,
    parameters: { ...above.parameters, ...below.parameters },
  };
}

/** True for the rows of the window that shall get the change. */
export function rowsOfWindow({ seat, backfill, key, cursor }: WindowStep): Statement {
  const { table, frozen, where } = backfill;
  const within = (columns: readonly string[]) => {
    const above = keyCondition(columns, '>', key, cursor, 'c');
    // The edge stands as a subquery of one value: joined as a table it would cost the range scan of the index.
    const edges = key.map((_, at) => `(select ${keyName(at)} from forerun_edge)`);
    return {
      sql: `${above.sql} and ${compared(columns, '<=', edges)}`,
      parameters: above.parameters,
    };
  };
  const columns = key.map(({ column }) => `${table}.${column}`);
  const window = within(columns);
  if (!frozen) {
    return {
      sql: `${window.sql} and (${where?.sql ?? 'true'})`,
      parameters: { ...window.parameters, ...where?.parameters },
    };
  }
  const target = key.map((_, at) => `forerun_target.k${at}`);
  const same = columns.map((column, at) => `${target[at]} = ${column}`).join(' and ');
  return {
    sql: `${window.sql} and exists (select from ${targetTable(seat.history, seat.backfill)} as forerun_target
    where ${same} and ${within(target).sql})`,
    parameters: window.parameters,
  };
}

/** The window's last key as a JSON array of texts. */
export const edgeJson = (key: readonly KeyColumn[]): string =>
  `(select pg_catalog.jsonb_build_array(${key.map((_, at) => `cast(${keyName(at)} as text)`).join(', ')}) from forerun_edge)`;

/** The rows of a window between two known keys, as a condition for the author's own statements. */
export function rowsBetween(step: WindowStep, to: KeyTexts): Statement {
  const { backfill, key, cursor, seat } = step;
  const { table, frozen, where } = backfill;
  const columns = key.map(({ column }) => `${table}.${column}`);
  const above = keyCondition(columns, '>', key, cursor, 'forerun_c');
  const below = keyCondition(columns, '<=', key, to, 'forerun_t');
  const target = targetTable(seat.history, seat.backfill);
  const chosen = frozen
    ? `exists (select from ${target} as forerun_target where ${columns.map((column, at) => `forerun_target.k${at} = ${column}`).join(' and ')})`
    : `(${where?.sql ?? 'true'})`;
  return {
    sql: `(${above.sql} and ${below.sql} and ${chosen})`,
    parameters: { ...above.parameters, ...below.parameters, ...(frozen ? {} : where?.parameters) },
  };
}
