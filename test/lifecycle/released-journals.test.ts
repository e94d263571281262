import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installation } from '../../lambda/engine/postgres-installation.ts';
import { lineOf } from './line-of.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

/**
 * Releases whose journals must stay readable. The file of the coming release is written anew with
 * `FORERUN_WRITE_FIXTURES=1`, until it is out; those of earlier ones are never touched again.
 */
const RELEASES = ['0.1.0'] as const;
const COMING = '0.1.0';

interface Journal {
  readonly installation: string;
  readonly rows: Readonly<Record<string, readonly object[]>>;
}

const TABLES = ['migration', 'run', 'event', 'statement', 'repeatable', 'lease'] as const;
const fileOf = (release: string): URL => new URL(`../fixtures/${release}/journal.json`, import.meta.url);

/** What the kept journals tell: two migrations applied by a deploy, the second reverted by hand and applied again. */
const line = (count: number) =>
  lineOf(
    { id: '0001_one', up: ['create table one (n int)'], down: ['drop table one'] },
    { id: '0002_two', up: ['create table two (n int)'], down: ['drop table two'] },
    { id: '0003_three', up: ['create table three (n int)'] },
  ).slice(0, count);
const deploy = { owner: 'stack/Migrations', askedAtMs: 1764000000000 };

let place: Workplace;

beforeAll(async () => {
  place = await startWorkplace();
  if (process.env['FORERUN_WRITE_FIXTURES'] !== undefined || !existsSync(fileOf(COMING))) await write(COMING);
});
afterAll(async () => {
  await place.close();
});

async function write(release: string): Promise<void> {
  const database = await place.freshDatabase();
  await database.up(line(2), { ...deploy, runKey: 'key-1', runId: 'kept-1' });
  await database.down(line(2), '0001_one', { runId: 'kept-2' });
  await database.up(line(2), { runId: 'kept-3' });
  const rows: Record<string, readonly object[]> = {};
  for (const table of TABLES) {
    const [found] = await database.query(
      `select coalesce(json_agg(t), '[]') as rows from forerun.${table} t`,
    );
    rows[table] = (found?.['rows'] ?? []) as object[];
  }
  writeFileSync(
    fileOf(release),
    `${JSON.stringify({ installation: installation('default'), rows }, null, 2)}\n`,
  );
}

/** A database as a release left it. */
async function leftBy(release: string): Promise<FreshDatabase> {
  const { installation: install, rows } = JSON.parse(readFileSync(fileOf(release), 'utf8')) as Journal;
  const database = await place.freshDatabase();
  await database.query(install);
  await database.query('create table one (n int); create table two (n int); delete from forerun.lease');
  for (const [table, all] of Object.entries(rows)) {
    const json = JSON.stringify(all).replaceAll("'", "''");
    await database.query(
      `insert into forerun.${table} overriding system value select * from json_populate_recordset(null::forerun.${table}, '${json}')`,
    );
  }
  await database.query(
    `select setval(pg_get_serial_sequence('forerun.event', 'id'), (select max(id) from forerun.event))`,
  );
  return database;
}

test.each(RELEASES)(
  'a database whose journal %s wrote has nothing to do, and takes what is new',
  async (release) => {
    const database = await leftBy(release);
    expect(await database.up(line(2))).toMatchObject({
      outcome: 'applied',
      steps: [],
      dataApiCalls: 1,
    });
    expect(await database.up(line(3))).toMatchObject({
      outcome: 'applied',
      steps: [{ migration: '0003_three', outcome: 'applied' }],
    });
  },
);

test.each(RELEASES)('what %s applied can be reverted', async (release) => {
  const database = await leftBy(release);
  expect(await database.down(line(2), 'base')).toMatchObject({
    outcome: 'applied',
    steps: [
      { migration: '0002_two', outcome: 'applied' },
      { migration: '0001_one', outcome: 'applied' },
    ],
  });
});

test.each(RELEASES)('a run that %s has ended is not repeated for the same key', async (release) => {
  const database = await leftBy(release);
  const result = await database.up(line(3), { ...deploy, runKey: 'key-1' });
  expect(result).toMatchObject({ outcome: 'applied', repeated: true });
});
