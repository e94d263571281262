import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import { module, openStage, openTheatre, type Stage } from './stage.ts';

let postgres: LocalPostgres;
let stage: Stage;

beforeAll(async () => {
  postgres = await openTheatre();
});
afterAll(async () => {
  await postgres.stop();
});
beforeEach(async () => {
  stage = await openStage(postgres);
});
afterEach(async () => {
  await stage.close();
});

const first = { '0001_notes.ts': module('base', ['create table notes (body text)']) };
const second = { ...first, '0002_hello.ts': module('0001_notes', [`insert into notes values ('hello')`]) };
const onlyWhenChanged = { props: { runOn: 'migrations-changed' } } as const;

const applied = async (): Promise<readonly unknown[]> =>
  (await stage.rows('select id from forerun.migration order by id')).map(({ id }) => id);

/** Whether the migrations came to their end before the alias moved. */
function migratedBeforeLive(
  events: readonly { readonly resourceType: string; readonly logicalId: string }[],
) {
  const last = (isIt: (event: (typeof events)[number]) => boolean): number => events.findLastIndex(isIt);
  const migrated = last(({ resourceType }) => resourceType === 'Custom::ForerunMigrations');
  return migrated >= 0 && migrated < last(({ logicalId }) => logicalId.startsWith('AppAlias'));
}

describe('a database that is replaced is migrated before the app goes live', () => {
  test('when the cluster is another one, though no migration changed', async () => {
    await stage.deploy('r1', second, {}, { ...onlyWhenChanged, together: true });
    const result = await stage.deploy(
      'r2',
      second,
      {},
      { ...onlyWhenChanged, together: true, storageKey: 'Key' },
    );
    expect(result.status).toBe('UPDATE_COMPLETE');
    expect(migratedBeforeLive(result.events)).toBe(true);
    expect(stage.attributes()).toMatchObject({ Applied: '2' });
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
  });

  test('when the database has another name', async () => {
    await stage.deploy('r1', second, {}, { ...onlyWhenChanged, together: true });
    const renamed = { ...onlyWhenChanged, together: true, databaseName: 'renamed' };
    expect((await stage.deploy('r2', second, {}, renamed)).status).toBe('UPDATE_COMPLETE');
    expect(stage.attributes()).toMatchObject({ Applied: '2' });
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
  });

  test('and when that deploy fails, the rollback leaves the old database as it was', async () => {
    const together = { together: true, props: { onRollback: 'revert' } } as const;
    await stage.deploy('r1', first, {}, together);
    const replaced = { ...together, storageKey: 'Key' };
    const result = await stage.deploy('r2', second, { AppAliaslive: 'unhealthy' }, replaced);
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await applied()).toEqual(['0001_notes']);
  });
});

test('a switched secret is used from the deploy on that switches it', async () => {
  await stage.deploy('r1', first, {}, { ...onlyWhenChanged, ownSecret: 'OldSecret' });
  const result = await stage.deploy('r2', first, {}, { ...onlyWhenChanged, ownSecret: 'NewSecret' });
  expect(result.status).toBe('UPDATE_COMPLETE');
  expect(stage.attributes()).toMatchObject({ Applied: '0', Outcome: 'applied' });
});

describe('the construct', () => {
  test('renamed, keeps what is applied and applies what is new', async () => {
    const revert = { props: { onRollback: 'revert' } } as const;
    await stage.deploy('r1', first, {}, revert);
    const result = await stage.deploy('r2', second, {}, { ...revert, construct: 'MigrationsRenamed' });
    expect(result.status).toBe('UPDATE_COMPLETE');
    expect(await applied()).toEqual(['0001_notes', '0002_hello']);
    expect(stage.attributes()).toMatchObject({ Head: '0002_hello', Applied: '1' });
  });

  test('removed and added again, keeps the data and goes on where it stood', async () => {
    const together = { together: true };
    await stage.deploy('r1', first, {}, together);
    const without = await stage.deploy('r2', first, {}, { ...together, construct: null });
    expect(without.status).toBe('UPDATE_COMPLETE');
    expect(await applied()).toEqual(['0001_notes']);
    const again = await stage.deploy('r3', second, {}, together);
    expect(again.status).toBe('UPDATE_COMPLETE');
    expect(stage.attributes()).toMatchObject({ Applied: '1' });
  });

  test('renamed in a deploy that fails, comes home with the old one in charge', async () => {
    await stage.deploy('r1', first);
    const renamed = { construct: 'MigrationsRenamed' };
    const result = await stage.deploy('r2', second, { AppAliaslive: 'unhealthy' }, renamed);
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    const next = await stage.deploy('r3', second);
    expect(next.status).toBe('UPDATE_COMPLETE');
    expect(await applied()).toEqual(['0001_notes', '0002_hello']);
  });
});

test('a first migration that fails in the stack that makes the database leaves its log behind', async () => {
  const broken = { '0001_broken.ts': module('base', ['selectt 1']) };
  const result = await stage.deploy('r1', broken, {}, { together: true });
  expect(result.status).toBe('ROLLBACK_COMPLETE');
  expect(result.reason).toContain('SQLSTATE 42601');
  const kept = result.events.filter(({ status }) => status === 'DELETE_SKIPPED');
  const logGroup = /Log: (\S+) /.exec(result.reason ?? '')?.[1];
  expect(kept.map(({ physicalId }) => physicalId)).toContain(logGroup);
});
