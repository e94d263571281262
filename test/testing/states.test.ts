import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from 'node:path';
import { statesIn } from '../../testing/states.ts';
import { startWorkbench, type BuiltHistory, type Workbench } from '../../testing/workbench.ts';
import { makeProject, type Project } from './project.ts';

/** One table for each migration; more of them than are applied anew for each test. */
const COUNT = 14;
const idOf = (number: number): string => `m${String(number).padStart(2, '0')}`;

let project: Project;
let bench: Workbench;
let history: BuiltHistory;
beforeAll(async () => {
  const files = Array.from({ length: COUNT }, (_, index): [string, string] => [
    `migrations/${idOf(index + 1)}.ts`,
    `import { irreversible, migration } from 'forerun';
export default migration({
  after: '${index === 0 ? 'base' : idOf(index)}',
  async up({ op }) {
    await op.execute('create table ${idOf(index + 1)} (id int)');
  },
  down: irreversible('a test'),
});`,
  ]);
  project = makeProject(Object.fromEntries(files));
  bench = await startWorkbench();
  history = await bench.history(join(project.folder, 'migrations'));
}, 120_000);
afterAll(async () => {
  await bench.close();
  project.remove();
});

test('a state that takes long to make is made once, and each test gets a copy of its own', async () => {
  const asked: unknown[] = [];
  const counted: BuiltHistory = {
    ...history,
    ask: (event, database) => {
      asked.push(event['to']);
      return history.ask(event, database);
    },
  };
  const states = statesIn(bench, counted);
  const before = (number: number): Promise<string> =>
    states.copyBefore({ id: idOf(number), after: [idOf(number - 1)], checksum: '' });
  const tables = async (database: string): Promise<number> => {
    const { rows } = await bench
      .connect(database)
      .execute({ sql: `select 1 from pg_tables where schemaname = 'public'` }, { rows: true });
    return rows.length;
  };

  const first = await before(13);
  await bench.connect(first).execute({ sql: 'drop table m01' }, { rows: false });
  expect(asked).toEqual(['m12']);
  const second = await before(13);
  expect(asked).toEqual(['m12']);
  expect([await tables(first), await tables(second)]).toEqual([11, 12]);
  // What comes later starts from it, what comes earlier does not.
  expect(await tables(await before(14))).toBe(13);
  expect(await tables(await before(3))).toBe(2);
  expect(asked).toEqual(['m12', 'm13', 'm02']);
}, 120_000);
