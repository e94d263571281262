import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { finish, ROOT } from '../child.ts';

/** A minute of the product's patience with a grant that may not be known everywhere yet, and the deploy around it. */
const TIMEOUT_MS = 240_000;

test.each([
  [
    'secretsmanager:GetSecretValue',
    'arn:aws:secretsmanager:eu-west-1:210987654321:secret:Shop-DatabaseSecret',
  ],
  ['rds-data:CommitTransaction', 'arn:aws:rds:eu-west-1:210987654321:cluster:shop-database'],
])(
  'a rehearsal of a role without %s fails as on AWS, and names the action and the resource',
  { timeout: TIMEOUT_MS },
  async (action, resource) => {
    const { code, out } = await finish(
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
    expect(words).toMatch(
      new RegExp(`CREATE_FAILED: [^]+ is not authorized to perform: ${action} on resource: ${resource}`),
    );
    expect(words).toMatch(
      new RegExp(`Grants that were missing: Shop-RunnerRole\\S+: ${action} on ${resource}`),
    );
    expect(words).toContain('Next: grant what is missing, and rehearse again.');
    expect(words).not.toContain('ahead of this release');
    expect(code).toBe(1);
  },
);
