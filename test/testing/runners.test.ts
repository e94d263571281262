import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from 'node:path';
import { ROOT } from '../child.ts';
import { HISTORY, makeProject, SPEC, type Project } from './project.ts';

let project: Project;
beforeAll(() => {
  project = makeProject({
    ...HISTORY,
    'specs/node.spec.ts': SPEC,
    'specs/vitest.spec.ts': SPEC,
    'specs/globals.mjs': JEST_LIKE,
    'vitest.config.ts': `export default { test: { include: ['specs/vitest.spec.ts'] } };`,
  });
});
afterAll(() => {
  project.remove();
});

const NAMES = [
  'migration 0002_add_slug',
  'a second look',
  'the history has one head and its bundle builds',
  'all migrations go up, down and up again at once',
  'each migration goes up, down and up again',
];

/** A runner with a global function, as Jest has them. */
const JEST_LIKE = `
const tests = [];
globalThis.test = (name, body, timeout) => tests.push({ name, body, timeout });
await import('./node.spec.ts');
for (const { name, body, timeout } of tests) {
  if (body.length > 0) throw new TypeError('a body with a parameter waits for done()');
  await body();
  console.log('passed', name, timeout > 5000);
}
console.log('handles', process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length);
`;

test('vitest runs the tests, without its globals', async () => {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const { code, out, err } = await project.node(vitest, 'run', '--reporter=verbose', '--no-color');
  expect(`${out}${err}`).toContain('5 passed');
  for (const name of NAMES) expect(out).toContain(name);
  expect(out).toContain('0003_forget is not taken down: they are gone');
  expect(code).toBe(0);
}, 180_000);

test('node:test runs the tests, and the process ends by itself', async () => {
  const { code, out } = await project.node('--test', '--test-reporter=tap', 'specs/node.spec.ts');
  expect(out).toContain('# pass 5');
  for (const name of NAMES) expect(out).toContain(`- ${name}`);
  expect(code).toBe(0);
}, 180_000);

test('a runner with a global function runs the tests, and nothing stays open', async () => {
  const { code, out, err } = await project.node('specs/globals.mjs');
  expect(err).toBe('');
  for (const name of NAMES) expect(out).toContain(`passed ${name} true`);
  expect(out).toContain('handles 0');
  expect(code).toBe(0);
}, 180_000);
