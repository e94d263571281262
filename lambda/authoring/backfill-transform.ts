import type { RootOperationNode } from 'kysely';
import type { Change, Form } from '../engine/backfill/backfill.ts';
import { ForerunError } from '../engine/errors.ts';
import { packingOf } from './backfill-packing.ts';
import type { Place } from './backfill-sql.ts';
import { createBuilder } from './dialect.ts';
import { quoteIdentifier, quoteName } from './quote-name.ts';
import { readBackOf } from './typing/read-back.ts';
import { unread } from './typing/reading.ts';
import { textOf } from './value-text.ts';

/** Reads the declared columns as any query would, and turns what the author's code gives back into texts. */
export function transformForm(
  place: Place,
  keys: readonly string[],
  transform: (row: object) => unknown,
): Form {
  const { table, tables } = place;
  const db = createBuilder({ execute: () => Promise.reject(notHere()) }, tables);
  const packing = [...table.types].flatMap(([name, type]) => {
    const how = packingOf(type);
    return how === undefined ? [] : [{ name, ...how }];
  });
  const packed = new Set(packing.map(({ name }) => name));
  const selected = (name: string): string => {
    const { sql } = db
      .selectFrom(table.name)
      .select([`${table.name}.${name}`])
      .compile();
    return sql.slice('select '.length, -` from ${quoteName(table.name)}`.length);
  };
  const columns = [...table.types.keys()].map((name) => `${table.name}.${name}`);
  const query = db.selectFrom(table.name).select(columns);
  // The builder has put its reading forms in, which hide the columns' types; the node stays of the kind it was.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const node = unread(query.toOperationNode()) as RootOperationNode;
  const readBack = readBackOf(node, tables) ?? ((row: Record<string, unknown>) => row);
  return {
    kind: 'transform',
    packed: packing.map(({ name, expression }) =>
      expression(`${quoteName(table.name)}.${quoteIdentifier(name)}`),
    ),
    beside: [...table.types.keys()].filter((name) => !packed.has(name)).map(selected),
    change(values, beside) {
      const row: Record<string, unknown> = { ...beside };
      packing.forEach(({ name, value }, at) => (row[name] = value(values[at])));
      const read = readBack(row);
      return changesOf(place, keys, read, transform(read));
    },
  };
}

function changesOf(
  { table }: Place,
  keys: readonly string[],
  read: Readonly<Record<string, unknown>>,
  given: unknown,
): readonly Change[] {
  if (given === undefined || given === null) return [];
  if (typeof given !== 'object' || 'then' in given)
    throw badChange('transform must return an object or undefined, and no promise');
  return Object.entries(given).flatMap(([name, value]): Change[] => {
    const type = table.types.get(name);
    if (type === undefined)
      throw badChange(`transform returned a column "${name}" that table() does not declare`);
    if (value === undefined || isSame(read[name], value)) return [];
    if (keys.includes(name)) throw badChange(`transform changes ${name}, which is part of the key`);
    return [
      { column: quoteIdentifier(name), type: type.sql, text: value === null ? null : textOf(type, value) },
    ];
  });
}

/** What reads the same is not written. */
function isSame(was: unknown, is: unknown): boolean {
  if (Object.is(was, is)) return true;
  if (typeof was !== 'object' || typeof is !== 'object' || was === null || is === null) return false;
  if (was instanceof Uint8Array || is instanceof Uint8Array || is instanceof Date) return false;
  try {
    return JSON.stringify(was) === JSON.stringify(is);
  } catch {
    return false;
  }
}

function badChange(what: string): ForerunError {
  return new ForerunError('migration-not-a-migration', {
    what: `${what}.`,
    state: 'The batch was not written.',
    next: 'Return an object of declared columns, or undefined where nothing of the row changes.',
  });
}

function notHere(): ForerunError {
  return badChange('a query was executed while it was described');
}
