import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { wishesOfFlags } from '../../cli/commands/local/cluster-flags.ts';
import { readConfig } from '../../cli/commands/local/config-file.ts';
import { declare } from '../../cli/commands/local/declare.ts';
import { faultOption } from '../../cli/commands/local/fault-option.ts';
import { ROOT } from '../child.ts';

const page = readFileSync(join(ROOT, 'docs/local.md'), 'utf8');

test('the file of clusters in docs/local.md is a file that forerun local takes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forerun-docs-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = join(folder, 'local.json');
  writeFileSync(path, /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '');
  const { clusters, faults } = await readConfig(path);
  expect(faults?.map(faultOption)).toEqual([{ kind: 'throttle', nth: 10, times: 1 }]);
  expect(declare(clusters)).toMatchObject([
    {
      arn: 'arn:aws:rds:eu-west-1:999988887777:cluster:orders',
      databases: ['orders', 'audit'],
      secrets: [{ name: 'orders' }, { name: 'orders/clerk', username: 'clerk' }],
    },
    { name: 'users', arn: 'arn:aws:rds:us-east-1:111122223333:cluster:users', databases: ['app'] },
  ]);
});

test('the faults in docs/local.md are faults that forerun local takes', () => {
  const texts = [...page.matchAll(/--fault (\S+)/g)].map((match) => match[1] ?? '');
  expect(texts.map((text) => faultOption(text).kind)).toEqual(['drop-after', 'resuming', 'status-503']);
});

test('the ARNs in docs/local.md are those that forerun local prints', () => {
  const [cluster] = declare(wishesOfFlags({}));
  for (const sample of page.matchAll(/'(arn:aws:[^']*111122223333[^']*)'/g)) {
    expect([cluster?.arn, cluster?.secrets[0]?.arn]).toContain(sample[1]);
  }
  expect(page.match(/111122223333/g)?.length).toBeGreaterThan(6);
});
