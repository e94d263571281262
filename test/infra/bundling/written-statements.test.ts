import { describe, expect, test } from 'vitest';
import { refuseWrittenTransactionControl } from '../../../infra/bundling/written-statements.ts';
import { bundleSync } from '../../../infra/bundle.ts';
import { folderOf } from '../folder.ts';
import { refusalTextOf } from './refusal-text.ts';
import { join } from 'node:path';

const moduleWith = (call: string): string => `import { migration, sql } from 'forerun';

/** Types and comments move lines. */
interface Nothing {
  readonly of: 'interest';
}

export default migration({
  after: 'base',
  async up({ op }) {
    await op.execute('select 1');
    ${call}
  },
  async down({ op }) {},
});
`;

const bundled = (call: string) =>
  bundleSync({
    directory: folderOf({ '0001_a.ts': moduleWith(call) }),
    outdir: join(folderOf(), 'out'),
  });

/** The look at one module, without a bundle around it. */
const looked = (call: string): void => {
  const directory = folderOf({ '0001_a.ts': moduleWith(call) });
  refuseWrittenTransactionControl(join(directory, '0001_a.ts'), directory);
};

const OWN = 'A migration cannot control its transaction: the run begins and commits it.';

describe('a statement that is written in a module', () => {
  test('is refused at build time when it controls the transaction, with file and line', async () => {
    const { what, next } = await refusalTextOf(() => bundled(`await op.execute('commit');`));
    expect(what).toBe(`migrations/0001_a.ts:12: ${OWN}`);
    expect(next).toBe('Leave the statement out; use savepoint and rollback to savepoint to undo a part.');
  });

  test.each([
    ['await op.execute(`begin`);', OWN],
    ['await op.execute(sql`rollback`);', OWN],
    ['await op.query("set search_path = app");', 'A plain set outlives the transaction'],
    ['const context = { op }; await context.op.execute("/* now */ abort");', OWN],
    ['await op.execute("update a set b = 1; commit");', 'The text holds more than one statement.'],
  ])('is refused: %s', async (call, what) => {
    expect((await refusalTextOf(() => looked(call))).what).toContain(`migrations/0001_a.ts:12: ${what}`);
  });

  test.each([
    `await op.execute('rollback to savepoint a');`,
    `await op.execute('set local lock_timeout = 1');`,
    `await op.execute("insert into notes values ('commit')");`,
    'const word = "commit"; await op.execute(`${word}`);',
    `const other = { execute: async (text: string) => text }; await other.execute('commit');`,
    'await op.execute(sql`update a ${sql`set b = 1`}`);',
  ])('is left alone: %s', (call) => {
    expect(() => looked(call)).not.toThrow();
  });
});
