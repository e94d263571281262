import { ExpressionWrapper, RawNode, ValueNode, type SqlBool } from 'kysely';
import type { Form, KeyTexts } from '../engine/backfill/backfill.ts';
import { lexemesOf } from '../engine/lexemes.ts';
import type { Statement } from '../engine/ports.ts';
import type { BatchContext } from './backfill-source.ts';
import type { Place } from './backfill-sql.ts';
import { inContext } from './context.ts';
import type { Table } from './table.ts';
import type { Family, ValueType } from './value-type.ts';

/** The author's own statements, with the batch's keys in the columns' own types. */
export function batchForm(
  { table, tables }: Place,
  keys: readonly string[],
  batch: (context: BatchContext<Table>) => Promise<unknown>,
): Form {
  const keyOf = (texts: KeyTexts): Record<string, unknown> =>
    Object.fromEntries(keys.map((name, at) => [name, valueOf(table.types.get(name), texts[at] ?? '')]));
  return {
    kind: 'batch',
    work: (session, tools, { from, to, rows }) =>
      inContext(session, tools, tables, { params: undefined, secrets: {} }, (context) =>
        // The keys are made of the columns that they are read as.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        batch({
          ...context,
          from: keyOf(from),
          to: keyOf(to),
          rows: expressionOf(rows),
        } as BatchContext<Table>),
      ),
  };
}

/** A condition with its values, for any statement of the builder or the template. */
function expressionOf({ sql, parameters = {} }: Statement) {
  const fragments: string[] = [];
  const values: unknown[] = [];
  let done = 0;
  for (const { kind, text: name, start, end } of lexemesOf(sql)) {
    if (kind !== 'placeholder' || !Object.hasOwn(parameters, name)) continue;
    fragments.push(sql.slice(done, start));
    values.push(parameters[name]);
    done = end;
  }
  fragments.push(sql.slice(done));
  return new ExpressionWrapper<unknown, never, SqlBool>(
    RawNode.create(
      fragments,
      values.map((value) => ValueNode.create(value)),
    ),
  );
}

const UTC = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00$/;

/** A key's text as a query would give it back. */
function valueOf(type: ValueType | undefined, text: string): unknown {
  if (type === undefined) return text;
  if (type.family === 'bigint') return BigInt(text);
  if (type.family === 'timestamptz') return text.replace(UTC, '$1T$2Z');
  return NUMBERS.includes(type.family) ? Number(text) : text;
}

const NUMBERS: readonly Family[] = ['smallint', 'integer', 'real', 'double'];
