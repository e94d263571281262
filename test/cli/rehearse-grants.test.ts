import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { finish, ROOT } from '../child.ts';

/** On AWS the deploy fails after a minute of patience, which a rehearsal does not wait for. */
const TIMEOUT_MS = 60_000;

test.each([
  [
    'secretsmanager:GetSecretValue',
    'arn:aws:secretsmanager:eu-west-1:210987654321:secret:Shop-DatabaseSecret',
  ],
  ['rds-data:CommitTransaction', 'arn:aws:rds:eu-west-1:210987654321:cluster:shop-database'],
])(
  'a rehearsal of a role without %s ends at once, and names the action and the resource',
  { timeout: TIMEOUT_MS },
  async (action, resource) => {
    const { code, out, err } = await finish(
      process.execPath,
      [join(ROOT, 'cli/main.ts'), 'rehearse', '--context', `lacks=${action}`],
      {
        cwd: join(ROOT, 'test/apps/own-role'),
        env: { PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter) },
      },
    );
    const words = out.replaceAll(/\s+/g, ' ');
    expect(words).toContain(`denied: the role Shop-RunnerRole`);
    expect(words).toContain(`may not ${action} on ${resource}`);
    expect(words).toContain('ended here: no waiting brings a grant');
    expect(words).toContain('Stack Shop: ended where a grant was missing');
    expect(words).toMatch(
      new RegExp(`Grants that were missing: Shop-RunnerRole\\S+: ${action} on ${resource}`),
    );
    expect(words).toContain('Next: grant what is missing, and rehearse again.');
    expect(words).toContain('The deploy would fail for want of a grant; its rollback was not rehearsed.');
    expect(words).not.toContain('CREATE_FAILED');
    expect(words).not.toContain('ahead of this release');
    expect(err).toBe('Synthesising the app …\nStarting a database …\n');
    expect(code).toBe(1);
  },
);
