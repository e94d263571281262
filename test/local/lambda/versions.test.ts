import { afterEach, beforeEach, expect, test } from 'vitest';

import { openWorkbench, payloadOf, type Workbench } from './workbench.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = await openWorkbench();
});

afterEach(async () => {
  await bench.close();
});

const telling = (word: string): string =>
  `export const handler = async (event, context) => [${JSON.stringify(word)}, process.env.WORD, context.functionVersion];`;

test('a published version keeps its code and its environment', async () => {
  await bench.deploy('f', telling('old'), { environment: { WORD: 'old' } });
  const { arn } = await bench.lambda.publishVersion('f');
  await bench.lambda.updateFunction(
    'f',
    await bench.settings(telling('new'), { environment: { WORD: 'new' } }),
  );
  expect(payloadOf(await bench.lambda.invoke(arn, {}))).toEqual(['old', 'old', '1']);
  expect(payloadOf(await bench.lambda.invoke('f', {}))).toEqual(['new', 'new', '$LATEST']);
});

test('publishing twice without a change gives the same version', async () => {
  await bench.deploy('f', telling('a'));
  const first = await bench.lambda.publishVersion('f');
  const second = await bench.lambda.publishVersion('f');
  expect([first.fresh, second.fresh, second.arn]).toEqual([true, false, first.arn]);
});

test('a version number is never given out twice', async () => {
  await bench.deploy('f', telling('a'));
  const { arn } = await bench.lambda.publishVersion('f');
  await bench.lambda.deleteFunction(arn);
  expect((await bench.lambda.publishVersion('f')).version).toBe('2');
});

test('an alias follows to the version it is pointed at', async () => {
  await bench.deploy('f', telling('old'));
  await bench.lambda.publishVersion('f');
  const { arn } = bench.lambda.createAlias('f', 'live', '1');
  const before = payloadOf(await bench.lambda.invoke(arn, {}));
  await bench.lambda.updateFunction('f', await bench.settings(telling('new')));
  await bench.lambda.publishVersion('f');
  bench.lambda.updateAlias('f', 'live', '2');
  const after = payloadOf(await bench.lambda.invoke(arn, {}));
  expect([before, after]).toEqual([
    ['old', null, '1'],
    ['new', null, '2'],
  ]);
});

test('an alias cannot point at a version that is not there', async () => {
  await bench.deploy('f', telling('a'));
  expect(() => bench.lambda.createAlias('f', 'live', '9')).toThrow('Function not found');
});

test('a deleted version is gone', async () => {
  await bench.deploy('f', telling('a'));
  const { arn } = await bench.lambda.publishVersion('f');
  await bench.lambda.deleteFunction(arn);
  await expect(bench.lambda.invoke(arn, {})).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
});

test('CommonJS code runs too', async () => {
  const directory = await bench.write({
    'lib/main.js': 'exports.go = async () => require("./other").word;',
    'lib/other.js': 'exports.word = "cjs";',
  });
  await bench.lambda.createFunction('f', { code: { directory }, role: 'r', handler: 'lib/main.go' });
  expect(payloadOf(await bench.lambda.invoke('f', {}))).toBe('cjs');
});
