import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExecuteStatementCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import { expect, it, onTestFinished } from 'vitest';
import { startDataApi } from '../../local/data-api/start-data-api.ts';
import { startClusters } from '../../local/start-clusters.ts';

const arn = (name: string): string => `arn:aws:rds:eu-west-1:123456789012:cluster:${name}`;
const secretArn = (name: string): string =>
  `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`;

it('answers 504 for a database that dies under load, never hangs, and goes on with the others', async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'forerun-dying-'));
  await chmod(dataDirectory, 0o755);
  onTestFinished(async () => rm(dataDirectory, { recursive: true, force: true }));
  const declarations = ['mortal', 'other'].map((name) => ({
    name,
    arn: arn(name),
    databases: ['app'],
    secrets: [{ arn: secretArn(name), name }],
  }));
  const { clusters, secrets, stop } = await startClusters(declarations, { dataDirectory });
  onTestFinished(stop);
  const api = await startDataApi({ clusters, secrets });
  onTestFinished(async () => api.stop());
  const client = new RDSDataClient({
    endpoint: api.url,
    region: 'eu-west-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIDLOCAL', secretAccessKey: 'none' },
  });
  onTestFinished(() => {
    client.destroy();
  });
  const outcome = async (name: string, sql: string): Promise<string> =>
    client
      .send(
        new ExecuteStatementCommand({
          resourceArn: arn(name),
          secretArn: secretArn(name),
          database: 'app',
          sql,
        }),
      )
      .then(
        () => 'fine',
        (error: unknown) => (error as Error).name,
      );
  const sleeping = Array.from({ length: 20 }, async () => outcome('mortal', 'select pg_sleep(600)::text'));
  while (api.calls().length < 1) await outcome('mortal', 'select 1');
  const pid = await readFile(join(dataDirectory, 'mortal/data/postmaster.pid'), 'utf8');
  process.kill(Number(pid.split('\n')[0]), 'SIGQUIT');
  expect(new Set(await Promise.all(sleeping))).toStrictEqual(new Set(['DatabaseUnavailableException']));
  const after = Array.from({ length: 20 }, async (_, index) =>
    outcome(index % 2 === 0 ? 'mortal' : 'other', 'select 1'),
  );
  expect(await Promise.all(after)).toStrictEqual(
    Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'DatabaseUnavailableException' : 'fine')),
  );
});
