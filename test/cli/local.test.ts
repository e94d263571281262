import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ExecuteStatementCommand,
  type ExecuteStatementCommandInput,
  RDSDataClient,
} from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../local/postgres/free-port.ts';
import { type Child, finish, start } from '../child.ts';

const forerunLocal = (...args: readonly string[]) =>
  finish(process.execPath, ['cli/main.ts', 'local', ...args]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'forerun-local-'));
  // Below it lies a server's data; run by root, the server is somebody else.
  chmodSync(folder, 0o755);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

interface Serving {
  readonly child: Child;
  readonly said: string;
  select(options: ExecuteStatementCommandInput): Promise<unknown>;
}

async function serving(...args: readonly string[]): Promise<Serving> {
  const child = start(process.execPath, ['cli/main.ts', 'local', ...args]);
  onTestFinished(async () => {
    child.stop('SIGINT');
    await child.ended;
  });
  const said = await child.seen('Stop it with Ctrl-C.');
  const client = new RDSDataClient({
    endpoint: String(/AWS_ENDPOINT_URL_RDS_DATA=(\S+)/.exec(said)?.[1]),
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  onTestFinished(() => {
    client.destroy();
  });
  return {
    child,
    said,
    async select(options) {
      const { records } = await client.send(new ExecuteStatementCommand(options));
      return records?.map((row) => row.map((field) => field.stringValue ?? field.longValue));
    },
  };
}

const cluster = (name: string): string => `arn:aws:rds:us-east-1:111122223333:cluster:${name}`;
const secret = (name: string): string =>
  `arn:aws:secretsmanager:us-east-1:111122223333:secret:${name}-AbCdEf`;

describe('forerun local with several clusters', () => {
  test('gives each its own databases and users, and refuses an ARN that is not declared', async () => {
    const { select, said } = await serving(
      '--cluster',
      'orders=orders,audit',
      '--cluster',
      'users',
      '--secret',
      'orders=clerk',
    );
    expect(said).toContain('databases: orders, audit');
    const names = { resourceArn: cluster('orders'), secretArn: secret('orders-clerk') };
    const sql = 'select current_user::text, current_database()::text';
    expect(await select({ ...names, database: 'audit', sql })).toEqual([['clerk', 'audit']]);
    await select({ ...names, database: 'orders', sql: 'create table mine (a int)' });
    const others = { resourceArn: cluster('users'), secretArn: secret('users') };
    const tables = "select count(*) from pg_tables where tablename = 'mine'";
    expect(await select({ ...others, database: 'app', sql: tables })).toEqual([[0]]);
    await expect(select({ ...others, database: 'orders', sql })).rejects.toThrow('3D000');
    await expect(select({ ...names, resourceArn: cluster('users'), database: 'app', sql })).rejects.toThrow(
      '28P01',
    );
    await expect(select({ ...names, resourceArn: cluster('else'), sql })).rejects.toMatchObject({
      name: 'HttpEndpointNotEnabledException',
    });
    await expect(select({ ...names, secretArn: secret('else'), sql })).rejects.toMatchObject({
      name: 'SecretsErrorException',
    });
  });

  test('takes clusters, ARNs, passwords and faults from a file', async () => {
    const arn = 'arn:aws:rds:eu-west-1:999988887777:cluster:shop';
    const secretArn = 'arn:aws:secretsmanager:eu-west-1:999988887777:secret:shop/app-XyZxYz';
    const config = file('shop.json', {
      clusters: [
        {
          name: 'shop',
          arn,
          databases: ['shop'],
          secrets: [{ username: 'app', password: 'sesame', name: 'shop/app', arn: secretArn }],
        },
      ],
      faults: ['throttle,sql=UNLUCKY'],
    });
    const { child, select, said } = await serving('--config', config);
    const call = { resourceArn: arn, secretArn, database: 'shop' };
    expect(await select({ ...call, sql: 'select current_user::text' })).toEqual([['app']]);
    await expect(select({ ...call, sql: 'select 13 as unlucky' })).rejects.toMatchObject({
      name: 'ThrottlingException',
    });
    const out = await child.seen('fault throttle');
    expect(said + out).not.toContain('sesame');
  });

  test.each([
    ['not JSON', '{', 'is not JSON'],
    ['no clusters', { clusters: [] }, 'clusters: expected something'],
    [
      'a member nobody knows',
      { clusters: [{ name: 'a', databse: [] }] },
      'clusters.0.databse: no such member',
    ],
    [
      'a password that is no text',
      { clusters: [{ name: 'a', secrets: [{ username: 'u', password: 90210 }] }] },
      'clusters.0.secrets.0.password: expected string',
    ],
    ['a name that is no name', { clusters: [{ name: '../a' }] }, '"../a" is no name for a cluster'],
    [
      'a name given twice',
      { clusters: [{ name: 'a' }, { name: 'a' }] },
      'the cluster name a is declared twice',
    ],
    [
      'a user given twice',
      { clusters: [{ name: 'a', secrets: [{ username: 'u' }, { username: 'u', name: 'b' }] }] },
      'the user u is declared twice',
    ],
    ['a fault nobody knows', { clusters: [{ name: 'a' }], faults: ['quake'] }, 'There is no fault "quake"'],
  ])('refuses a file with %s in one line', async (name, content, reason) => {
    const { code, out, err } = await forerunLocal(
      '--config',
      file(`${name.replaceAll(' ', '-')}.json`, content),
    );
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(reason);
    expect(err.trimEnd()).not.toContain('\n');
    expect(err).not.toContain('90210');
  });

  test.each([
    [['--config', 'nowhere.json'], 'nowhere.json cannot be read.'],
    [['--config', 'a.json', '--cluster', 'b'], 'take it alone'],
    [['--cluster', 'a=x', '--database', 'y'], '--cluster orders=orders,audit'],
    [['--secret', 'a'], '--secret takes <cluster>=<user>, not "a".'],
    [['--secret', 'b=user'], 'the cluster "b", which is not declared'],
    [['--fault', 'drop-after,operation=Commit'], 'There is no operation "Commit"'],
    [['--fault', 'throttle,nth=zero'], '"nth=zero" of a fault is no whole number'],
    [['--fault', 'throttle,when=later'], 'not "when"'],
    [['--fault', 'hold-after'], 'There is no fault "hold-after"'],
    [['--secrets-port', '70000'], '--secrets-port takes a whole number'],
  ])('refuses %j in one line', async (args, reason) => {
    const { code, err } = await forerunLocal(...args);
    expect(code).toBe(2);
    expect(err).toContain(reason);
    expect(err.trimEnd()).not.toContain('\n');
  });
});

describe('forerun local --fault', () => {
  test('strikes the calls it is meant for and no others', async () => {
    const { child, select } = await serving(
      '--fault',
      'status-503,operation=ExecuteStatement,nth=2,times=2',
      '--fault',
      'drop-before,sql=never',
    );
    const call = { resourceArn: cluster('local'), secretArn: secret('local'), database: 'app' };
    const outcomes: unknown[] = [];
    for (let number = 1; number <= 4; number += 1) {
      const outcome = await select({ ...call, sql: `select ${number}` }).catch(
        (error: unknown) => (error as Error).name,
      );
      outcomes.push(outcome);
    }
    expect(outcomes).toEqual([[[1]], 'ServiceUnavailableError', 'ServiceUnavailableError', [[4]]]);
    const out = await child.seen('select 4');
    expect(out.match(/fault status-503/g)).toHaveLength(2);
  });
});

describe('forerun local --data-dir', () => {
  test('keeps what was written for the next start, also of users', async () => {
    const args = ['--data-dir', join(folder, 'kept'), '--secret', 'local=app'];
    const call = { resourceArn: cluster('local'), secretArn: secret('local-app'), database: 'app' };
    const first = await serving(...args);
    await first.select({ ...call, sql: 'create table kept as select 7 as a' });
    first.child.stop('SIGINT');
    expect(await first.child.ended).toMatchObject({ code: 0 });
    const second = await serving(...args);
    expect(await second.select({ ...call, sql: 'select a from kept' })).toEqual([[7]]);
    const busy = await forerunLocal(...args);
    expect(busy.code).toBe(1);
    expect(busy.err).toMatch(/^Another PostgreSQL works with the data in \S+\.\n$/);
  });

  test('refuses the data of another version in one line', async () => {
    const data = join(folder, 'old/local/data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, 'PG_VERSION'), '16\n');
    const { code, err } = await forerunLocal('--data-dir', join(folder, 'old'));
    expect(code).toBe(2);
    expect(err).toMatch(
      /^\S+ was written by PostgreSQL 16, and this is PostgreSQL 17; name another folder\.\n$/,
    );
  });

  test('touches no folder that holds something else', async () => {
    mkdirSync(join(folder, 'photos/local'), { recursive: true });
    writeFileSync(join(folder, 'photos/local/cat.jpg'), '');
    const { code, err } = await forerunLocal('--data-dir', join(folder, 'photos'));
    expect(code).toBe(2);
    expect(err).toMatch(/^\S+ holds other files; name an empty or a new folder for the data\.\n$/);
  });
});

describe('forerun local where it cannot start', () => {
  test('says in one line that its port is in use, and leaves no server behind', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => {
      holder.close();
    });
    await new Promise((resolve) => holder.once('listening', resolve));
    const address = holder.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    for (const flag of ['--port', '--secrets-port']) {
      const { code, err } = await forerunLocal(flag, port);
      expect(code).toBe(1);
      expect(err).toBe(
        `Port ${port} of 127.0.0.1 is in use by another program; take another one, or none for a free one.\n`,
      );
    }
  });

  test('says in one line that no database answers, without its password', async () => {
    const url = `postgres://user:sesame@127.0.0.1:${await freePort()}/app`;
    const { code, err } = await forerunLocal('--database-url', url);
    expect(code).toBe(1);
    expect(err).toMatch(/^PostgreSQL on 127\.0\.0\.1:\d+ takes no connection .+\n$/);
  });

  test('says in one line that a database URL is none, without showing it', async () => {
    const { code, err } = await forerunLocal('--database-url', 'sesame');
    expect({ code, err }).toEqual({ code: 2, err: 'The database URL is not a URL.\n' });
  });
});
