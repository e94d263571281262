/**
 * The types of columns, and with them the one rule for values, the same in a query, in a condition and in bulk:
 *
 * | PostgreSQL | comes back as | goes in as |
 * | --- | --- | --- |
 * | smallint, integer, real, double precision | number | number |
 * | bigint | bigint | bigint, safe whole number |
 * | numeric | string, the scale kept | string, number, bigint |
 * | boolean | boolean | boolean |
 * | text, varchar, char, citext, uuid, inet, cidr, macaddr, enums | string | string |
 * | date, time, timetz, timestamp, interval | string, as PostgreSQL prints it | string |
 * | timestamptz | string, ISO 8601 in UTC with microseconds | string, Date |
 * | json, jsonb | the parsed value | any JSON value; `null` is SQL's, `jsonNull` JSON's |
 * | bytea | Uint8Array | Uint8Array |
 * | arrays of these | array | array, `null` elements included |
 *
 * In a `where`, Kysely takes what comes back, `where('id', '=', 5n)`; `users.value('id', 5)` takes what goes in.
 */
import { columnOf, type Column } from './column.ts';
import type { JsonNull } from './json-null.ts';
import { quoteName } from './quote-name.ts';
import type { Family } from './value-type.ts';

/** Text of any length. */
export const text = (): Column<string, string> => textual('text');

/** `varchar(n)`. The length documents the column; PostgreSQL checks it when the value is stored. */
export const varchar = (_length?: number): Column<string, string> => textual('varchar');

/** `char(n)`: comes back padded with blanks to its length, as PostgreSQL stores it. */
export const char = (_length?: number): Column<string, string> => textual('bpchar');

/** `citext` (an extension): compares without regard to case, which a bare text parameter would silently undo. */
export const citext = (): Column<string, string> => textual('citext');

/** 16-bit whole number. */
export const smallint = (): Column<number, number> => columnOf({ sql: 'smallint', family: 'smallint' });

/** 32-bit whole number. */
export const integer = (): Column<number, number> => columnOf({ sql: 'integer', family: 'integer' });

/** 64-bit whole number: comes back as `bigint`; a number goes in as long as it is a safe integer. */
export const bigint = (): Column<bigint, bigint | number> => columnOf({ sql: 'bigint', family: 'bigint' });

/** Exact decimal: comes back as a string with the declared scale (`'1.50'`); numbers and bigints go in too. */
export const numeric = (_precision?: number, _scale?: number): Column<string, string | number | bigint> =>
  columnOf({ sql: 'numeric', family: 'numeric' });

/** 32-bit float; `NaN` and the infinities go in and out. */
export const real = (): Column<number, number> => columnOf({ sql: 'real', family: 'real' });

/** 64-bit float (`double precision`). */
export const double = (): Column<number, number> => columnOf({ sql: 'double precision', family: 'double' });

export const boolean = (): Column<boolean, boolean> => columnOf({ sql: 'boolean', family: 'boolean' });

export const uuid = (): Column<string, string> => columnOf({ sql: 'uuid', family: 'uuid' });

/** Calendar day as PostgreSQL prints it: `'2026-01-31'`. A `Date` is refused: its day depends on a time zone. */
export const date = (): Column<string, string> => columnOf({ sql: 'date', family: 'date' });

/** Time of day: `'03:04:05.123456'`. */
export const time = (): Column<string, string> => columnOf({ sql: 'time', family: 'time' });

/** Time of day with an offset: `'03:04:05+02'`. The Data API cannot return it, so it is read as text. */
export const timetz = (): Column<string, string> => textual('timetz');

/** Date and time without a zone, as PostgreSQL prints it: `'2026-01-31 03:04:05.123456'`. */
export const timestamp = (): Column<string, string> => columnOf({ sql: 'timestamp', family: 'timestamp' });

/** A moment: comes back as `'2026-01-31T03:04:05.123456Z'`, microseconds kept; a string or a `Date` goes in. */
export const timestamptz = (): Column<string, string | Date> =>
  columnOf({ sql: 'timestamptz', family: 'timestamptz' });

/** A span of time as PostgreSQL prints it: `'1 day 02:00:00'`. The Data API cannot return it, so it is read as text. */
export const interval = (): Column<string, string> => columnOf({ sql: 'interval', family: 'interval' });

/** An IP address: `'10.0.0.1/8'`. */
export const inet = (): Column<string, string> => textual('inet');

/** A network: `'10.0.0.0/8'`. */
export const cidr = (): Column<string, string> => textual('cidr');

/** A hardware address: `'08:00:2b:01:02:03'`. The Data API cannot return it, so it is read as text. */
export const macaddr = (): Column<string, string> => textual('macaddr');

/** Bytes. */
export const bytea = (): Column<Uint8Array, Uint8Array> => columnOf({ sql: 'bytea', family: 'bytes' });

/** JSON kept as it was written. `null` is SQL's null, `jsonNull` is JSON's own; both are read back as `null`. */
export const json = <T = unknown>(): Column<T, T | JsonNull> => columnOf({ sql: 'json', family: 'json' });

/** JSON in PostgreSQL's own form; `null` and `jsonNull` as for `json`. */
export const jsonb = <T = unknown>(): Column<T, T | JsonNull> => columnOf({ sql: 'jsonb', family: 'jsonb' });

/**
 * An enum type of the database; a schema may stand before its name.
 *
 * @example enumType('app.mood', ['sad', 'happy'])
 */
export function enumType<const M extends readonly string[]>(
  name: string,
  members: M,
): Column<M[number], M[number]> {
  return columnOf({ sql: quoteName(name), family: 'enum', members });
}

/**
 * Any other type (a domain, a range, an extension's type), bound as text and cast. The type is written into the SQL
 * as it stands: leave out lengths, because a cast to them cuts values silently (`bit` and `character` mean any length here). A
 * domain checks every value that is compared with it, too; a type that the Data API cannot return (most extensions' types) is
 * selected with `::text`.
 *
 * @example column<string>('app.email_address')
 */
export const column = <T extends string | number | bigint | boolean = string>(pgType: string): Column<T, T> =>
  columnOf({ sql: withoutLength(pgType), family: 'other' });

/** In a cast `bit` and `character` mean a length of one and cut a longer value; these names mean any length. */
const withoutLength = (pgType: string): string =>
  pgType
    .replace(/^(?:(?:national )?char(?:acter)?|nchar)(?= *(?:\[|$))/i, 'bpchar')
    .replace(/^bit(?= *(?:\[|$))/i, '"bit"');

function textual(sql: string, family: Family = 'text'): Column<string, string> {
  return columnOf({ sql, family });
}
