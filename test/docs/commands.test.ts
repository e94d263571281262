import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCommandLine } from '../../cli/run-command-line.ts';
import { commandOf } from '../../cli/runner/command-words.ts';
import { RUNNER_ALIASES } from '../../lambda/contract.ts';
import { startLambda, type LocalLambda } from '../../local/lambda/start-lambda.ts';
import { ROOT } from '../child.ts';

/** Command and event of each row of the tables, as they stand side by side. */
const rows = ['docs/operations.md', 'docs/backfills.md'].flatMap((page) =>
  [
    ...readFileSync(join(ROOT, page), 'utf8').matchAll(/^\| `(forerun [^`]+)` +\| `(\{"action"[^`]+)` +\|/gm),
  ].map(([, command = '', event = '']) => ({ command, event: JSON.parse(event) as Record<string, unknown> })),
);

let lambda: LocalLambda;
const asked: { readonly event: unknown; readonly alias: string | undefined }[] = [];
beforeAll(async () => {
  lambda = await startLambda({
    onInvoke: ({ event, functionArn }) =>
      void asked.push({ event: JSON.parse(event), alias: functionArn.split(':')[7] }),
  });
  await lambda.createFunction('runner', {
    // As a runner answers that has nothing to tell.
    code: {
      inline: `exports.handler = async () => ({ ok: true, action: 'backfills', backfills: [], log: '' });`,
    },
    role: 'arn:aws:iam::111122223333:role/runner',
    handler: 'index.handler',
  });
  const { version } = await lambda.publishVersion('runner');
  for (const alias of Object.values(RUNNER_ALIASES)) lambda.createAlias('runner', alias, version);
  vi.stubEnv('AWS_ENDPOINT_URL_LAMBDA', lambda.url);
  vi.stubEnv('AWS_REGION', lambda.region);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'TEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('FORERUN_RUNNER', 'runner');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await lambda.close();
});

describe('the command of a page', () => {
  test.each(rows)(
    '$command sends the event beside it, through the alias that it needs',
    async ({ command, event }) => {
      asked.length = 0;
      const said: string[] = [];
      const words = command.split(' ').slice(1);
      const code = await runCommandLine(words, {
        out: (line) => said.push(line),
        err: (line) => said.push(line),
      });
      expect({ code, said: said.filter((line) => line.includes('usage:')) }).toEqual({ code: 0, said: [] });
      const tells = ['status', 'plan', 'history', 'backfills'].includes(String(event['action']));
      expect(asked).toContainEqual({ event, alias: tells ? 'read' : 'act' });
    },
  );

  test.each(rows)('$command is what an error that names its event is told with', ({ command, event }) => {
    expect(commandOf(event)).toBe(command);
  });

  test('is there for everything that a person asks', () => {
    expect(rows.length).toBeGreaterThan(20);
  });
});
