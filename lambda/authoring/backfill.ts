import type { Backfill, Form, Tuning } from '../engine/backfill/backfill.ts';
import { ForerunError, UNTOUCHED } from '../engine/errors.ts';
import { batchForm } from './backfill-batch.ts';
import { flawOfBackfill } from './backfill-flaw.ts';
import type { BackfillSource, BatchForm } from './backfill-source.ts';
import { conditionOf, expressionsOf, valuesToSet, type Place } from './backfill-sql.ts';
import { transformForm } from './backfill-transform.ts';
import { migration, withBackfill, type MigrationDefinition } from './migration.ts';
import { quoteIdentifier, quoteName } from './quote-name.ts';
import type { ColumnOf, Table, Tables } from './table.ts';

/** Why these: see docs/backfills.md, "How hard it works". */
const DEFAULTS: Tuning = {
  batchRows: 500,
  targetMs: 500,
  pauseMs: 0,
  parallel: 1,
  lockTimeoutMs: 1_000,
  activeSessions: 25,
  oldestTransactionSeconds: 3_600,
};

/**
 * Defines a backfill: a data migration over many rows that is done in batches, survives every crash and time limit, and changes
 * each row once. It is the default export of a module in `migrations/` like any other.
 *
 * @throws ForerunError `migration-not-a-migration` for what can be seen to be wrong without a database; the key is looked
 * at when the work begins.
 * @example
 * export default backfill({
 *   after: '0011_add_slug',
 *   table: articles,
 *   key: 'id',
 *   where: sql`slug is null`,
 *   set: { slug: sql`lower(replace(title, ' ', '-'))` },
 *   down: 'nothing to undo',
 * });
 */
export function backfill<const T extends Table, const K extends ColumnOf<T>>(
  source: BackfillSource<T, K>,
): MigrationDefinition {
  const flaw = flawOfBackfill(source);
  if (flaw !== undefined) throw notABackfill(flaw);
  const { after, id, table, down, needs, phase, compatible, frozen = false, hold = false } = source;
  const tables: Tables = { ...source.tables, [table.name]: table };
  const definition = migration({
    after,
    tables,
    ...(id === undefined ? {} : { id }),
    ...(needs === undefined ? {} : { needs }),
    ...(phase === undefined ? {} : { phase }),
    ...(compatible === undefined ? {} : { compatible }),
    up: nothing,
    down: down === 'nothing to undo' ? nothing : down,
  });
  const keys: readonly string[] = typeof source.key === 'string' ? [source.key] : source.key;
  const place: Place = { table, tables };
  const spec: Backfill = {
    table: quoteName(table.name),
    name: table.name,
    key: keys.map((name) => ({ name, column: quoteIdentifier(name) })),
    columns: [...table.types.keys()].map((name) => ({ name, column: quoteIdentifier(name) })),
    where: source.where === undefined ? null : conditionOf(place, source.where),
    frozen,
    hold,
    tuning: tuningOf(source),
    form: formOf(source, place, keys),
  };
  return withBackfill(definition, Object.freeze(spec));
}

function formOf<T extends Table, K extends ColumnOf<T>>(
  source: BackfillSource<T, K>,
  place: Place,
  keys: readonly string[],
): Form {
  if (source.set !== undefined) return { kind: 'set', set: valuesToSet(place, source.set) };
  const { transform, batch } = source;
  if (transform !== undefined) {
    // The row's type is for the author; here rows are what the columns say.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return transformForm(place, keys, transform as (row: object) => unknown);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (batch !== undefined) return batchForm(place, keys, batch as BatchForm<Table>['batch']);
  if (source.insertFrom === undefined) throw notABackfill('it has no form');
  const { into, columns } = source.insertFrom;
  return { kind: 'insert', into: quoteName(into.name), columns: expressionsOf(place, columns) };
}

function tuningOf(source: Partial<Tuning>): Tuning {
  const given = (name: keyof Tuning): number => source[name] ?? DEFAULTS[name];
  return {
    batchRows: given('batchRows'),
    targetMs: given('targetMs'),
    pauseMs: given('pauseMs'),
    parallel: given('parallel'),
    lockTimeoutMs: given('lockTimeoutMs'),
    activeSessions: given('activeSessions'),
    oldestTransactionSeconds: given('oldestTransactionSeconds'),
  };
}

const nothing = (): Promise<void> => Promise.resolve();

function notABackfill(flaw: string): ForerunError {
  return new ForerunError('migration-not-a-migration', {
    what: `A backfill is not written as one: ${flaw}.`,
    state: UNTOUCHED,
    next: 'Mend the call of backfill().',
  });
}
