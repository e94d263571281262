import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { bundleSync } from '../../infra/bundle.ts';
import { makeFolder } from '../infra/folder.ts';
import { errorOf, startRunnerPlace, type RunnerPlace } from './runner-place.ts';

let place: RunnerPlace;

beforeAll(async () => {
  place = await startRunnerPlace();
});
afterAll(async () => {
  await place.close();
});
beforeEach(async () => {
  await place.freshDatabase();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const helper = `/** Long comments, types and blank lines are no part of the bundle. */
export interface Person {
  readonly name: string;
}

export function nameOf(person: Person): string {
  return person.name.toUpperCase();
}
`;

const migration = `import { bigint, migration, table } from 'forerun';
import { nameOf, type Person } from './_names.ts';

const notes = table('notes', { id: bigint() });
const nobody: Person[] = [];

export default migration({
  after: 'base',
  tables: { notes },

  async up({ db, op }) {
    await op.execute('create table notes (id bigint primary key)');
    const [row] = await op.query('select 1 as n where false');
    if (process.env['FAILS_IN'] === 'up') throw new RangeError(\`no \${typeof row}\`);
    if (process.env['FAILS_IN'] === 'query') db.insertInto('notes').values({ id: 1n });
    else nameOf(nobody[0] as Person);
  },

  down: () => Promise.resolve(),
});
`;

let runner = '';
let directory = '';

beforeAll(() => {
  const files = makeFolder({ '0001_notes.ts': migration, '_names.ts': helper });
  const out = makeFolder({}, 'out');
  directory = files.path;
  runner = bundleSync({ directory, outdir: out.path }).runner;
  return () => {
    files.remove();
    out.remove();
  };
});

test.each([
  ['helper', `(migrations/_names.ts:7): Cannot read properties of undefined (reading 'name').`],
  ['up', '(migrations/0001_notes.ts:14): no undefined.'],
  ['query', `(migrations/0001_notes.ts:15): The query insertInto('notes') was built and never sent.`],
])('what fails in the author’s own code names its file and line: in %s', async (where, what) => {
  vi.stubEnv('FAILS_IN', where);
  const answer = await place.askBundle(runner, { action: 'up' });
  expect(errorOf(answer)?.text.what).toBe(`0001_notes failed ${what}`);
  expect(JSON.stringify(answer) + place.said()).not.toContain(directory);
});
