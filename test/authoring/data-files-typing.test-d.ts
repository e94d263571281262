/** Checked by tsc alone: each marked line must not compile, every other one must. */
import { expectTypeOf } from 'vitest';
import { irreversible, migration, table, text, bigint, type SqlScript, type TextRow } from 'forerun';
import rows from './data/countries.csv';
import script from './data/countries.sql';

const countries = table('countries', { code: text(), area: bigint() });

expectTypeOf(script).toEqualTypeOf<SqlScript>();
expectTypeOf(rows).toEqualTypeOf<readonly TextRow[]>();

export const accepted = migration({
  after: 'base',
  tables: { countries },
  down: irreversible('nothing to go back to'),
  async up({ op }) {
    expectTypeOf(await op.execute(script)).toEqualTypeOf<{ readonly affected: number }>();
    await op.execute(script, { expect: { rows: 3 } });
    await op.bulkInsert(countries, rows);
    await op.bulkInsert(
      countries,
      rows.filter(({ code }) => code !== null),
    );
    await op.bulkUpdate(countries, rows, { key: 'code' });
    // @ts-expect-error A script takes no values.
    await op.execute(script, { a: 1 });
    // @ts-expect-error A script gives no rows.
    await op.query(script);
    // @ts-expect-error The rows of a file are no script.
    await op.execute(rows);
  },
});
