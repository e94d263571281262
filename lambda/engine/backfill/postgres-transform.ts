import type { Row, Statement } from '../ports.ts';
import type { Change, Form, KeyTexts } from './backfill.ts';
import {
  CHANGED,
  markParameters,
  seatOf,
  STILL,
  tagOf,
  TALLY,
  type BatchEnd,
  type Step,
  type TrialStep,
} from './postgres-batch.ts';
import { marked, SEAT, STANDING } from './postgres-seat.ts';
import { edgeJson, rowsOfWindow, windowOf, type WindowStep } from './postgres-window.ts';

/** How a row is read: what JSON carries without loss as one array, everything else beside it. */
export type Selection = Pick<Extract<Form, { kind: 'transform' }>, 'packed' | 'beside'>;

/**
 * The rows of the next window as `transform` gets them, and one more that tells of the window. A row is as few fields as may be:
 * each one costs more between the service and us than it costs the database.
 */
export function readStatement(step: TrialStep, selection: Selection): Statement {
  const window = windowOf(step, false);
  const rows = rowsOfWindow(step);
  const nothing = selection.beside.map(() => ', null').join('');
  return {
    sql: `${tagOf(step.id)} with ${window.sql}
select ${readColumns(step, selection)} from ${step.backfill.table} where ${rows.sql}
union all
select pg_catalog.json_build_object('edge', ${edgeJson(step.key)}, 'seen', ${window.seen})${nothing} where true`,
    parameters: { ...window.parameters, ...rows.parameters },
  };
}

/** The rows that have lost against another writer, as they are now. */
export function readAgainStatement(step: Step, selection: Selection, keys: readonly KeyTexts[]): Statement {
  const { where, frozen } = step.backfill;
  const again = rowsAgain(step, keys);
  const chosen = frozen || where === null ? { sql: 'true', parameters: {} } : where;
  return {
    sql: `${tagOf(step.id)} select ${readColumns(step, selection)}
from ${again.sql}
where (${chosen.sql})`,
    parameters: { ...again.parameters, ...chosen.parameters },
  };
}

/**
 * Inside a transaction: takes the seat, then the rows that shall be read again. They are not read here: a policy may hide from
 * a lock what a reading shows, and such a row must count as one that could not be reached.
 */
export function lockStatement(step: Step, keys: readonly KeyTexts[]): Statement {
  const again = rowsAgain(step, keys);
  return {
    sql: `${tagOf(step.id)} ${SEAT} select from ${again.sql} where exists (select from forerun_ready) for update`,
    parameters: { ...seatOf(step), ...again.parameters },
  };
}

/** The rows with these keys, behind `from`. */
function rowsAgain({ backfill: { table }, key }: WindowStep, keys: readonly KeyTexts[]): Statement {
  const matches = key.map(
    ({ column, type }, at) => `${table}.${column} = cast(forerun_again ->> ${at} as ${type})`,
  );
  return {
    sql: `pg_catalog.json_array_elements(cast(:again as json)) as forerun_list (forerun_again) join ${table} on ${matches.join(' and ')}`,
    parameters: { again: JSON.stringify(keys) },
  };
}

function readColumns({ backfill: { table }, key }: WindowStep, { packed, beside }: Selection): string {
  const texts = key.map(({ column }) => `cast(${table}.${column} as text)`);
  const values = [`cast(${table}.xmin as text)`, ...texts, ...packed];
  return [`pg_catalog.json_build_array(${values.join(', ')}) as forerun_row`, ...beside].join(', ');
}

/** A row as it was read. */
export interface RowRead {
  readonly version: string;
  readonly key: KeyTexts;
  readonly packed: readonly unknown[];
  readonly beside: Row;
}

interface WindowRead extends Pick<BatchEnd, 'edge' | 'seen'> {
  readonly rows: readonly RowRead[];
}

/** What one of the two statements above has answered. */
export function rowsRead(answer: readonly Row[], { key }: Pick<Step, 'key'>): WindowRead {
  let window: Pick<BatchEnd, 'edge' | 'seen'> = { edge: null, seen: 0 };
  const rows: RowRead[] = [];
  for (const { forerun_row: read, ...beside } of answer) {
    if (Array.isArray(read)) {
      // Version and key are made texts by our own statement.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const [version, ...values] = read as [string, ...string[]];
      rows.push({ version, key: values.slice(0, key.length), packed: values.slice(key.length), beside });
    } else {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      window = read as unknown as typeof window;
    }
  }
  return { ...window, rows };
}

/** A row as it was read, and what becomes of it. */
export interface ChangedRow {
  readonly key: KeyTexts;
  readonly version: string;
  readonly changes: readonly Change[];
}

export interface Write extends BatchEnd {
  readonly rows: readonly ChangedRow[];
  /** Rows that were read and of which nothing changes. */
  readonly left: number;
  /** Keys that are still to be read again, beside those that lose now. */
  readonly rest: readonly KeyTexts[];
}

/**
 * Writes computed rows where they still have the version that was read; whoever has lost is remembered with the cursor and
 * read again. `xmin` changes with every new version of a row and can be compared whatever the columns' types.
 */
export function writeStatement(step: Step, write: Write): Statement {
  const { key, backfill } = step;
  const { table, frozen, where } = backfill;
  const { columns, cells, sent } = cellsOf(write.rows, table, key.length);
  const names = key.map((_, at) => `forerun_s${at}`);
  const shape = [...names, 'forerun_version', ...cells];
  const matches = key.map(
    ({ column, type }, at) => `${table}.${column} = cast(forerun_sent.${names[at]} as ${type})`,
  );
  const still = frozen || where === null ? { sql: 'false', parameters: {} } : where;
  const back = key.map(({ column }, at) => `${table}.${column} as ${names[at]}`).join(', ');
  const done =
    columns.length === 0
      ? 'select false as forerun_still where false'
      : `update ${table} set ${columns.join(', ')} from forerun_sent
  where ${matches.join(' and ')} and ${table}.xmin = cast(forerun_sent.forerun_version as xid)
  returning ${back}, coalesce((${still.sql}), false) as forerun_still`;
  const same = key.map(
    ({ type }, at) => `forerun_done.${names[at]} = cast(forerun_sent.${names[at]} as ${type})`,
  );
  const lost =
    columns.length === 0
      ? ''
      : `, forerun_lost as materialized (
  select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(${names.join(', ')})) as keys from forerun_sent
  where ${CHANGED} < ${write.rows.length} and not exists (select from forerun_done where ${same.join(' and ')})
)`;
  const keys = columns.length === 0 ? `'[]'` : `coalesce((select keys from forerun_lost), '[]')`;
  const mark = marked({
    over: `${write.over} and ${keys} = '[]'`,
    edge: 'cast(:edge as jsonb)',
    seen: 'cast(:seen as bigint)',
    changed: CHANGED,
    left: step.sweeping ? String(write.left) : '0',
    redo: `${keys} || cast(:rest as jsonb)`,
    frozen,
  });
  return {
    sql: `${tagOf(step.id)} ${SEAT}, forerun_sent as materialized (
  select ${shape.map((name, at) => `c${at} as ${name}`).join(', ')}
  from pg_catalog.json_to_recordset(cast(:rows as json)) as forerun_row (${shape.map((_, at) => `c${at} text`).join(', ')})
  where exists (select from forerun_ready)
), forerun_done as (${done}), ${TALLY}${lost}, ${mark}
select pg_catalog.jsonb_build_object(${STANDING}, 'seen', cast(:seen as bigint), 'changed', ${CHANGED}, ${STILL}) as answer`,
    parameters: {
      ...seatOf(step),
      ...markParameters(step),
      rows: JSON.stringify(sent),
      rest: JSON.stringify(write.rest),
      edge: write.edge === null ? null : JSON.stringify(write.edge),
      seen: BigInt(write.seen),
      ...(columns.length === 0 ? {} : still.parameters),
    },
  };
}

/** What the changed columns are set to, the names of the cells that this takes, and the rows with these cells. */
function cellsOf(rows: readonly ChangedRow[], table: string, keys: number) {
  const types = new Map(rows.flatMap(({ changes }) => changes.map(({ column, type }) => [column, type])));
  const columns: string[] = [];
  const cells: string[] = [];
  const places = new Map<string, { readonly value: number; readonly given: number | null }>();
  for (const [column, type] of types) {
    const everywhere = rows.every(({ changes }) => changes.some((change) => change.column === column));
    const value = `forerun_v${places.size}`;
    const cast = `cast(forerun_sent.${value} as ${type})`;
    const place = keys + 1 + cells.length;
    cells.push(value);
    if (everywhere) {
      columns.push(`${column} = ${cast}`);
    } else {
      const given = `forerun_g${places.size}`;
      cells.push(given);
      columns.push(
        `${column} = case when forerun_sent.${given} is null then ${table}.${column} else ${cast} end`,
      );
    }
    places.set(column, { value: place, given: everywhere ? null : place + 1 });
  }
  const sent = rows.map(({ key, version, changes }) => {
    const row: Record<string, string | null> = {};
    key.forEach((text, at) => (row[`c${at}`] = text));
    row[`c${keys}`] = version;
    for (const { column, text } of changes) {
      const place = places.get(column);
      if (place === undefined) continue;
      row[`c${place.value}`] = text;
      if (place.given !== null) row[`c${place.given}`] = '1';
    }
    return row;
  });
  return { columns, cells, sent };
}
