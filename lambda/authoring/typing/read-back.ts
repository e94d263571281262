import type { RootOperationNode } from 'kysely';
import type { Tables } from '../table.ts';
import type { ValueType } from '../value-type.ts';
import { rootScope } from './scope.ts';
import { outputsOf } from './type-of.ts';

type Row = Record<string, unknown>;

/** What is still to be done with the rows of a query; undefined when nothing is. */
export type ReadBack = (row: Row) => Row;

/**
 * Arrays that had to leave the database as text get their values back: whole numbers as bigint, moments in the one form
 * that this package gives them. Everything else the database port has converted already.
 */
export function readBackOf(root: RootOperationNode, tables: Tables): ReadBack | undefined {
  const conversions = (outputsOf(root, rootScope(tables)) ?? []).flatMap(({ name, type }) => {
    const convert = elementConversion(type);
    return convert === undefined ? [] : [{ name, convert }];
  });
  if (conversions.length === 0) return undefined;
  return (row) => {
    const converted = conversions.map(({ name, convert }) => [name, each(row[name], convert)] as const);
    return { ...row, ...Object.fromEntries(converted) };
  };
}

type Convert = (text: string) => unknown;

function elementConversion(type: ValueType | undefined): Convert | undefined {
  if (type?.element?.family === 'bigint') return BigInt;
  return type?.element?.family === 'timestamptz' ? isoMoment : undefined;
}

/** `2026-01-02 03:04:05.5+00`, as a session in UTC prints it. */
function isoMoment(text: string): string {
  const parts = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00$/.exec(text);
  return parts === null ? text : `${parts[1]}T${parts[2]}Z`;
}

function each(value: unknown, convert: Convert): unknown {
  if (!Array.isArray(value)) return value;
  const items: readonly unknown[] = value;
  return items.map((item) => (typeof item === 'string' ? convert(item) : item));
}
