import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type LocalPostgres, startPostgres } from '../../../local/postgres/postgres.ts';

const ask = async (server: LocalPostgres, sql: string, database = 'postgres'): Promise<unknown> => {
  const { host, port, user, password } = server;
  const client = new Client({ host, port, user, password, database });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows[0];
  } finally {
    await client.end();
  }
};

const listens = async (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });

describe('startPostgres', () => {
  let shared: LocalPostgres;
  beforeAll(async () => {
    shared = await startPostgres();
  });
  afterAll(async () => {
    await shared.stop();
  });

  it('starts PostgreSQL 17 in UTF-8 and stops it', async () => {
    const server = await startPostgres();
    const facts = await ask(
      server,
      "select current_setting('server_version') as v, current_setting('server_encoding') as e",
    );
    expect(facts).toMatchObject({ v: expect.stringMatching(/^17\./u), e: 'UTF8' });
    await server.stop();
    expect(await listens(server.port)).toBe(false);
  });

  it('creates and drops databases, also one that somebody uses', async () => {
    await shared.createDatabase('my "own" name');
    const { host, port, user, password } = shared;
    const held = new Client({ host, port, user, password, database: 'my "own" name' });
    held.on('error', () => {});
    await held.connect();
    await shared.dropDatabase('my "own" name');
    await shared.dropDatabase('my "own" name');
    await expect(ask(shared, 'select 1', 'my "own" name')).rejects.toThrow('does not exist');
  });

  it('refuses a wrong password', async () => {
    await expect(ask({ ...shared, password: 'wrong' }, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('uses a server named by its URL and leaves it running', async () => {
    const databaseUrl = `postgres://${shared.user}:${encodeURIComponent(shared.password)}@${shared.host}:${shared.port}`;
    const same = await startPostgres({ databaseUrl });
    await same.createDatabase('by_url');
    await same.stop();
    expect(await ask(shared, 'select current_database()::text as d', 'by_url')).toStrictEqual({
      d: 'by_url',
    });
  });

  it('keeps the data of a named directory for the next start', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'forerun-kept-'));
    onTestFinished(async () => rm(dataDirectory, { recursive: true, force: true }));
    const first = await startPostgres({ dataDirectory });
    await first.createDatabase('kept');
    await first.stop();
    const second = await startPostgres({ dataDirectory });
    expect(await ask(second, 'select 1 as one', 'kept')).toStrictEqual({ one: 1 });
    await second.stop();
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'leaves no server and no folder when its process gets %s',
    async (signal) => {
      const directory = await mkdtemp(join(tmpdir(), 'forerun-kill-'));
      onTestFinished(async () => rm(directory, { recursive: true, force: true }));
      // The server may run as somebody else.
      await chmod(directory, 0o755);
      const fixture = fileURLToPath(new URL('fixtures/start-and-wait.ts', import.meta.url));
      const child = spawn(process.execPath, [fixture], {
        env: { ...process.env, TMPDIR: directory },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [Buffer];
      const port = Number(String(said));
      expect(await listens(port)).toBe(true);
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
      while (await listens(port));
      while ((await readdir(directory)).length > 0);
    },
  );
});
