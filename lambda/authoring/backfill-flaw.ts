import { isExpression } from 'kysely';

const FORMS: readonly string[] = ['set', 'transform', 'batch', 'insertFrom'];
const KEYS: readonly string[] = [
  'after',
  'id',
  'table',
  'key',
  'where',
  'frozen',
  'hold',
  'needs',
  'phase',
  'tables',
  'down',
  'compatible',
  'batchRows',
  'targetMs',
  'pauseMs',
  'parallel',
  'lockTimeoutMs',
  'activeSessions',
  'oldestTransactionSeconds',
  ...FORMS,
];

/** Least and most of each number. */
const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  batchRows: [1, 50_000],
  targetMs: [10, 10_000],
  pauseMs: [0, 3_600_000],
  parallel: [1, 16],
  lockTimeoutMs: [1, 20_000],
  activeSessions: [1, 10_000],
  oldestTransactionSeconds: [1, 2_592_000],
};

/** Columns that can be no key: their types have no order. */
const UNORDERABLE: readonly string[] = ['json'];

/** The first thing wrong with a backfill that can be seen without a database. */
export function flawOfBackfill(source: unknown): string | undefined {
  if (!isRecord(source)) return 'backfill() takes one object';
  const unknown = Object.keys(source).find((name) => !KEYS.includes(name));
  if (unknown !== undefined) return `"${unknown}" is not one of ${KEYS.join(', ')}`;
  return tableFlaw(source) ?? formFlaw(source) ?? safetyFlaw(source) ?? restFlaw(source);
}

function tableFlaw({ table, key }: Source): string | undefined {
  if (!isTable(table)) return '"table" must be a table()';
  const names: readonly unknown[] = Array.isArray(key) ? key : [key];
  if (names.length === 0 || new Set(names).size < names.length) {
    return '"key" must be a column or a list of different columns';
  }
  for (const name of names) {
    if (typeof name !== 'string' || !table.types.has(name)) {
      return `"key" names a column ${JSON.stringify(name)} that the table() of ${table.name} does not declare`;
    }
    if (table.columns[name]?.takesNull === true) {
      return `"key" names ${name}, which may be null: rows without a key would never be reached`;
    }
    if (UNORDERABLE.includes(table.types.get(name)?.family ?? '')) {
      return `"key" names ${name}, whose type has no order`;
    }
  }
  return undefined;
}

function formFlaw(source: Source): string | undefined {
  const forms = FORMS.filter((form) => source[form] !== undefined);
  if (forms.length !== 1) {
    return `it needs one of ${FORMS.map((form) => `"${form}"`).join(', ')}${forms.length === 0 ? '' : `, and has ${forms.join(' and ')}`}`;
  }
  const { table, key, set, transform, batch, insertFrom } = source;
  if (transform !== undefined && typeof transform !== 'function') return '"transform" must be a function';
  if (batch !== undefined && typeof batch !== 'function') return '"batch" must be a function';
  if (set !== undefined) {
    if (!isRecord(set) || Object.keys(set).length === 0) return '"set" must be an object of columns';
    const names = Array.isArray(key) ? key : [key];
    const changed = Object.keys(set).find((name) => names.includes(name));
    if (changed !== undefined) return `"set" changes ${changed}, which is part of the key`;
    const strange = Object.keys(set).find((name) => isTable(table) && !table.types.has(name));
    if (strange !== undefined) return `"set" names a column "${strange}" that table() does not declare`;
  }
  if (insertFrom !== undefined) {
    if (!isRecord(insertFrom) || !isTable(insertFrom['into'])) return '"insertFrom.into" must be a table()';
    const { columns } = insertFrom;
    if (!isRecord(columns) || Object.keys(columns).length === 0) {
      return '"insertFrom.columns" must be an object of columns';
    }
    const strange = Object.entries(columns).find(
      ([, value]) =>
        !isExpression(value) && !(typeof value === 'string' && isTable(table) && table.types.has(value)),
    );
    if (strange !== undefined) {
      return `"insertFrom.columns.${strange[0]}" must be the name of a declared column of "table", or an expression`;
    }
  }
  return undefined;
}

function safetyFlaw({ where, frozen, insertFrom }: Source): string | undefined {
  if (frozen !== undefined && typeof frozen !== 'boolean') return '"frozen" must be true or false';
  if (where !== undefined && typeof where !== 'function' && !isExpression(where)) {
    return '"where" must be SQL (sql`slug is null`) or a function of the expression builder';
  }
  if (where === undefined && frozen !== true && insertFrom === undefined) {
    return 'it has neither "where", which tells the rows that still need the change, nor frozen: true, which captures them once';
  }
  return undefined;
}

function restFlaw(source: Source): string | undefined {
  const { hold, down } = source;
  if (hold !== undefined && typeof hold !== 'boolean') return '"hold" must be true or false';
  if (down === undefined) {
    return "\"down\" is missing: write how to take the change back, irreversible('why'), or 'nothing to undo'";
  }
  if (typeof down === 'string' && down !== 'nothing to undo') {
    return "\"down\" must be a function, irreversible('why') or 'nothing to undo'";
  }
  for (const [name, [least, most]] of Object.entries(NUMBERS)) {
    const value = source[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      return `"${name}" must be a whole number from ${least} to ${most}`;
    }
  }
  return undefined;
}

type Source = Readonly<Record<string, unknown>>;

interface TableLike {
  readonly name: string;
  readonly columns: Readonly<Record<string, { readonly takesNull: boolean }>>;
  readonly types: ReadonlyMap<string, { readonly family: string }>;
}

function isTable(value: unknown): value is TableLike {
  return isRecord(value) && value['types'] instanceof Map && typeof value['name'] === 'string';
}

function isRecord(value: unknown): value is Source {
  return typeof value === 'object' && value !== null;
}
