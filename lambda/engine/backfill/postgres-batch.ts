import type { BoundValue, Statement } from '../ports.ts';
import type { Backfill, KeyColumn, KeyTexts, SetColumn } from './backfill.ts';
import { dueRows, notedRows, STILL_DUE } from './postgres-due.ts';
import {
  limitParameters,
  marked,
  SEAT,
  SEAT_HELD,
  seatParameters,
  STANDING,
  WORKED,
  type Seat,
} from './postgres-seat.ts';
import {
  edgeJson,
  keyName,
  rowsBetween,
  rowsOfWindow,
  walkOf,
  windowOf,
  type WindowStep,
} from './postgres-window.ts';

/** Where a step begins, and how far it may go. */
export interface Step {
  readonly seat: Seat;
  readonly id: string;
  readonly backfill: Backfill;
  readonly key: readonly KeyColumn[];
  /** The last key that is done; null before the first. */
  readonly cursor: KeyTexts | null;
  /** The last key of the range; null where it is open. */
  readonly upper: KeyTexts | null;
  /** Keys that the window holds at most. */
  readonly rows: number;
  /** It belongs to the closing sweep. */
  readonly sweeping: boolean;
  /** Each row is asked first whether `set` would change it; otherwise a row that it would not change fails the batch. */
  readonly asking: boolean;
  /** Kept with the range: when it had come how far, and how its batches went. */
  readonly recent: string;
  readonly pace: string;
  /** How long one statement may take, in milliseconds. */
  readonly statementTimeoutMs: number;
}

const NOBODY_ASKED = { sql: 'true', parameters: {} };

/** A step that nobody's lease stands behind. */
export type TrialStep = WindowStep & { readonly id: string };

/** The whole batch in one statement: fence, window, effect, cursor. */
export function batchStatement(step: Step): Statement {
  const window = windowOf(step, true);
  const effect = effectOf(step, 'exists (select from forerun_ready)', step.asking);
  const mark = marked({
    over: window.over,
    edge: edgeJson(step.key),
    seen: window.seen,
    changed: CHANGED,
    left: leftOf(step),
    redo: 'r.redo',
    frozen: step.backfill.frozen,
  });
  return {
    sql: `${tagOf(step.id)} ${SEAT}, ${window.sql}, forerun_done as (${effect.sql}), ${TALLY}, ${mark}
select pg_catalog.jsonb_build_object(${STANDING}, 'seen', ${window.seen}, 'changed', ${CHANGED}, ${STILL}, ${WORKED}) as answer`,
    parameters: {
      ...seatOf(step),
      ...markParameters(step),
      ...window.parameters,
      ...effect.parameters,
    },
  };
}

/** Rows for which `where` is true and that were not changed: they did not differ, or a trigger left them alone. */
function leftOf(step: Step): string {
  const { backfill, sweeping } = step;
  if (!sweeping || backfill.where === null || backfill.form.kind !== 'set') return '0';
  return `(select pg_catalog.count(*) from ${backfill.table} where ${rowsOfWindow(step).sql}) - ${CHANGED}`;
}

/** What was done, counted once. */
export const TALLY = `forerun_tally as materialized (
  select pg_catalog.count(*) as changed, pg_catalog.bool_or(forerun_still) as still from forerun_done
)`;
export const CHANGED = '(select changed from forerun_tally)';

/** A change that leaves its own predicate true would be done again by whoever comes next: nothing of it may stay. */
export const STILL = `'still', (select forerun.refuse_endless() from forerun_tally where still)`;

export const seatOf = ({ seat, statementTimeoutMs }: Step): Record<string, BoundValue> => ({
  ...seatParameters(seat),
  ...limitParameters(statementTimeoutMs),
});

export function markParameters({
  rows,
  recent,
  pace,
}: Pick<Step, 'rows' | 'recent' | 'pace'>): Record<string, BoundValue> {
  return { batch_rows: BigInt(rows), recent, pace };
}

function effectOf(step: WindowStep, ready: string, asking: boolean): Statement {
  const { form } = step.backfill;
  switch (form.kind) {
    case 'set':
      return update(step, form.set, ready, asking);
    case 'insert':
      return insert(step, form.into, form.columns, ready);
    case 'transform':
    case 'batch':
      return { sql: 'select false as forerun_still where false' };
  }
}

/**
 * Asking whether a row would differ computes each value twice, which is a tenth of a simple batch. Unasked, a row that does not
 * differ is written; then its `where` is as true as before, and the whole batch is refused, if nothing refuses the row before.
 */
function update(step: WindowStep, set: readonly SetColumn[], ready: string, asking: boolean): Statement {
  const { table, where, frozen } = step.backfill;
  const rows = rowsOfWindow(step);
  const differs =
    asking && set.every(({ comparable }) => comparable)
      ? `(${set.map(({ column, value }) => `${table}.${column} is distinct from (${value.sql})`).join(' or ')})`
      : 'true';
  const still = frozen ? NOBODY_ASKED : (where ?? NOBODY_ASKED);
  return {
    sql: `update ${table} set ${set.map(({ column, value }) => `${column} = (${value.sql})`).join(', ')}
  where ${ready} and ${rows.sql} and ${differs}
  returning ${frozen ? 'false' : `coalesce((${still.sql}), false)`} as forerun_still`,
    parameters: { ...rows.parameters, ...valuesOf(set) },
  };
}

function insert(step: WindowStep, into: string, columns: readonly SetColumn[], ready: string): Statement {
  const rows = rowsOfWindow(step);
  // Only a copy of the same row is passed over: a conflict in any other index would lose a row without a word.
  const copied = step.key.flatMap((column) => column.copied ?? []);
  const conflict = copied.length === 0 ? '' : `on conflict (${copied.join(', ')}) do nothing `;
  return {
    sql: `insert into ${into} (${columns.map(({ column }) => column).join(', ')})
  select ${columns.map(({ value }) => `(${value.sql})`).join(', ')} from ${step.backfill.table} where ${ready} and ${rows.sql}
  ${conflict}returning false as forerun_still`,
    parameters: { ...rows.parameters, ...valuesOf(columns) },
  };
}

function valuesOf(columns: readonly SetColumn[]): Record<string, BoundValue> {
  return Object.fromEntries(columns.flatMap(({ value }) => Object.entries(value.parameters ?? {})));
}

/** The same effect without a fence, for a transaction that is rolled back; of rows that are new it answers with some. */
export function trialStatement(step: TrialStep, mayStayTrue: boolean, most: number): Statement {
  const window = windowOf(step, false);
  const effect = effectOf(step, 'true', true);
  const { form } = step.backfill;
  const row = form.kind === 'insert' ? `, pg_catalog.to_jsonb(${form.into}.*) as forerun_row` : '';
  const rows = `'rows', (select pg_catalog.jsonb_agg(forerun_row) from (select forerun_row from forerun_done limit ${most}) as forerun_new)`;
  return {
    sql: `${tagOf(step.id)} with ${window.sql}, forerun_done as (${effect.sql}${row}), ${TALLY}
select pg_catalog.jsonb_build_object('changed', ${CHANGED}${mayStayTrue ? '' : `, ${STILL}`}${row === '' ? '' : `, ${rows}`}) as answer`,
    parameters: { ...window.parameters, ...effect.parameters },
  };
}

/** Before the author's own statements of a trial: keeps which rows need the change. */
export function openTrialStatement(step: TrialStep, edge: KeyTexts): Statement {
  const rows = rowsBetween(step, edge);
  return {
    ...rows,
    sql: `${tagOf(step.id)} with ${notedRows(step, rows)} select any_row from forerun_noted`,
  };
}

/** After them: fails where a row needs the change still, as the real batch would. */
export function closeTrialStatement(step: TrialStep, edge: KeyTexts): Statement {
  const due = dueRows(step, rowsBetween(step, edge));
  return {
    ...due,
    sql: `${tagOf(step.id)} with forerun_ready as (select), ${due.sql}
select pg_catalog.jsonb_build_object(${STILL_DUE}) as answer`,
  };
}

/** Keys of some rows of the next window that the change is for. */
export function sampleStatement(step: TrialStep, most: number): Statement {
  const window = windowOf(step, false);
  const rows = rowsOfWindow(step);
  const columns = step.key.map(({ column }) => `${step.backfill.table}.${column}`);
  return {
    sql: `${tagOf(step.id)} with ${window.sql}
select pg_catalog.jsonb_build_object('keys', coalesce(pg_catalog.jsonb_agg(key order by at), '[]'), 'edge', ${edgeJson(step.key)}) as answer from (
  select pg_catalog.jsonb_build_array(${columns.map((column) => `cast(${column} as text)`).join(', ')}) as key,
    pg_catalog.row_number() over (order by ${columns.join(', ')}) as at
  from ${step.backfill.table} where ${rows.sql} order by ${columns.join(', ')} limit ${most}) as forerun_sampled`,
    parameters: { ...window.parameters, ...rows.parameters },
  };
}

/** Some rows by their keys as they are now, for showing them. */
export function showStatement({ id, backfill, key }: TrialStep, keys: readonly KeyTexts[]): Statement {
  const { table, columns } = backfill;
  const matches = key.map(
    ({ column, type }, at) => `${table}.${column} = cast(forerun_value ->> ${at} as ${type})`,
  );
  const members = columns.map(
    ({ name, column }) => `'${name.replaceAll("'", "''")}', pg_catalog.to_jsonb(${table}.${column})`,
  );
  return {
    sql: `${tagOf(id)} select pg_catalog.jsonb_build_object(${members.join(', ')}) as shown
from pg_catalog.json_array_elements(cast(:keys as json)) with ordinality as forerun_asked (forerun_value, forerun_at) join ${table} on ${matches.join(' and ')}
order by forerun_at`,
    parameters: { keys: JSON.stringify(keys) },
  };
}

/** The key behind the cursor: the one of a batch of one row. */
export function nextKeyStatement(step: Step): Statement {
  const window = windowOf({ ...step, rows: 1 }, false);
  return {
    sql: `${tagOf(step.id)} with ${window.sql} select pg_catalog.jsonb_build_object('key', ${edgeJson(step.key)}) as answer`,
    parameters: window.parameters,
  };
}

/** Inside a transaction: takes the seat and tells the window, whose rows the author's own statements then change. */
export function openStatement(step: Step): Statement {
  const window = windowOf(step, true);
  const rows = rowsOfWindow(step);
  const texts = step.key.map((_, at) => `cast(${keyName(at)} as text)`).join(', ');
  return {
    sql: `${tagOf(step.id)} ${SEAT}, ${window.sql}, ${notedRows(step, rows)}
select pg_catalog.jsonb_build_object('ready', exists (select from forerun_ready), 'seen', ${window.seen},
  'any', (select any_row from forerun_noted),
  'from', (select pg_catalog.jsonb_build_array(${texts}) from (${window.first}) as forerun_first),
  'to', ${edgeJson(step.key)}) as answer`,
    parameters: { ...seatOf(step), ...window.parameters, ...rows.parameters },
  };
}

/** How far a batch has come. */
export interface BatchEnd {
  /** Where the cursor goes; null where it stays. */
  readonly edge: KeyTexts | null;
  readonly over: boolean;
  readonly seen: number;
}

/** Inside a transaction, after the author's own statements: the cursor moves with them. */
export function closeStatement(
  step: Step,
  end: BatchEnd & { readonly any: boolean; readonly changed: number },
): Statement {
  const { edge } = end;
  const rows = step.backfill.frozen || edge === null || !end.any ? null : rowsBetween(step, edge);
  const due = dueRows(step, rows);
  const mark = marked({
    over: String(end.over),
    edge: 'cast(:edge as jsonb)',
    seen: 'cast(:seen as bigint)',
    changed: 'cast(:changed as bigint)',
    left: '0',
    redo: 'r.redo',
    frozen: step.backfill.frozen,
  });
  return {
    sql: `${tagOf(step.id)} ${SEAT_HELD}, ${due.sql}, ${mark}
select pg_catalog.jsonb_build_object(${STANDING}, 'seen', cast(:seen as bigint), 'changed', cast(:changed as bigint), ${STILL_DUE}) as answer`,
    parameters: {
      ...seatOf(step),
      ...markParameters(step),
      ...due.parameters,
      edge: edge === null ? null : JSON.stringify(edge),
      seen: BigInt(end.seen),
      changed: BigInt(end.changed),
    },
  };
}

/**
 * The whole sweep at once, where reading the rest of the range finds no row that still needs the change: then the range is
 * done. Otherwise nothing moves. The rows come from a query of its own that is planned for all of them, though the first ends
 * it; asked for one row alone, the planner would take statistics from before the backfill for a promise that it comes soon.
 */
export function peekStatement(step: Step): Statement {
  const walk = walkOf(step, true);
  const mark = marked({
    over: 'not exists (select from forerun_due)',
    edge: 'null',
    seen: '0',
    changed: '0',
    left: '0',
    redo: 'r.redo',
    frozen: false,
  });
  const { where } = step.backfill;
  return {
    sql: `${tagOf(step.id)} ${SEAT}, forerun_due as materialized (
  select from ${walk.from} and (${where?.sql ?? 'true'})
), ${mark}
select pg_catalog.jsonb_build_object(${STANDING}, 'seen', 0, 'changed', 0) as answer`,
    parameters: {
      ...seatOf(step),
      ...markParameters(step),
      ...walk.parameters,
      ...where?.parameters,
    },
  };
}

/** By which the database's own views show what works. */
export const tagOf = (id: string): string => `/* forerun ${id} */`;
