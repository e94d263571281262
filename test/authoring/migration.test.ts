import { describe, expect, test } from 'vitest';
import {
  addCheck,
  backfill,
  bigint,
  bindMigration,
  integer,
  irreversible,
  isMigrationDefinition,
  migration,
  repeatable,
  sql,
  table,
  text,
  type MigrationSource,
  type Tables,
} from 'forerun';
import { recordingSession } from './recording-session.ts';
import { refusalOf } from './refusal.ts';

const nothing = (): Promise<void> => Promise.resolve();
const people = table('people', { name: text() });
const revision = (after: readonly string[] = []) => ({ id: '0001_people', after, checksum: 'v1:0' });
const tools = { inTransaction: true, progress: () => undefined };

/** Modules reach the run without type checks, so anything may come. */
const define = (source: unknown) => migration(source as MigrationSource<Tables>);

describe('a migration', () => {
  test.each([
    ['base', []],
    ['0001_a', ['0001_a']],
    [
      ['0001_a', '0001_b'],
      ['0001_a', '0001_b'],
    ],
  ])('after %j has the parents %j', (after, parents) => {
    expect(migration({ after, up: nothing, down: nothing }).after).toEqual(parents);
  });

  test('is recognised by its brand alone', () => {
    const definition = migration({ after: 'base', up: nothing, down: nothing });
    expect(isMigrationDefinition(definition)).toBe(true);
    expect(isMigrationDefinition({ ...definition })).toBe(true);
    expect(isMigrationDefinition({ after: [], up: nothing, down: nothing })).toBe(false);
    expect(isMigrationDefinition(undefined)).toBe(false);
  });

  test('cannot be changed afterwards', () => {
    expect(Object.isFrozen(migration({ after: 'base', up: nothing, down: nothing }))).toBe(true);
  });

  test.each([
    [undefined, 'migration() takes one object'],
    [{ after: 'base', down: nothing }, '"up" must be a function'],
    [
      { after: 'base', up: nothing },
      '"down" is missing: write how to take "up" back, or irreversible(\'why\') where there is no way back',
    ],
    [{ after: 'base', up: nothing, down: 'no' }, '"down" must be a function or irreversible(\'why\')'],
    [
      { after: 'base', up: nothing, down: irreversible('') },
      'irreversible() in "down" needs the reason as its text: irreversible(\'why\')',
    ],
    [{ up: nothing, down: nothing }, '"after" must be an id, several different ids, or \'base\''],
    [{ after: [], up: nothing, down: nothing }, '"after" must be an id, several different ids, or \'base\''],
    [
      { after: ['a', 'a'], up: nothing, down: nothing },
      '"after" must be an id, several different ids, or \'base\'',
    ],
    [
      { after: ['a', 'base'], up: nothing, down: nothing },
      '"after" must be an id, several different ids, or \'base\'',
    ],
    [
      { after: 'base', up: nothing, down: nothing, upgrade: nothing },
      '"upgrade" is not one of after, id, tables, atomic, phase, transaction, long, lockTimeoutMs, environments, params, secrets, needs, compatible, up, down, operations',
    ],
    [
      { after: 'base', up: nothing, down: nothing, atomic: 'own' },
      "\"atomic\" must be 'group' or 'migration'",
    ],
    [
      { after: 'base', up: nothing, down: nothing, phase: 'later' },
      `"phase" must be 'before' or 'after' (the app goes live)`,
    ],
    [{ after: 'base', up: nothing, down: nothing, compatible: 'yes' }, '"compatible" must be true or false'],
    [
      { after: 'base', up: nothing, down: nothing, tables: { people: {} } },
      '"tables.people" is not a table()',
    ],
    [
      { after: 'base', up: nothing, down: nothing, tables: { users: people } },
      '"tables.users" is the table \'people\': use its own name as key',
    ],
  ])('is refused when it is %j', async (source, flaw) => {
    expect(await refusalOf(() => define(source))).toBe(
      `migration-not-a-migration: A migration is not written as one: ${flaw}.`,
    );
  });
});

describe('a bound migration', () => {
  test('takes its name from the revision and shares transactions by default', () => {
    const bound = bindMigration(migration({ after: 'base', up: nothing, down: nothing }), revision(['x']));
    expect(bound).toMatchObject({ id: '0001_people', after: ['x'], checksum: 'v1:0', atomic: 'group' });
    expect(bound).not.toHaveProperty('compatible');
    expect(bound).not.toHaveProperty('phase');
  });

  test('keeps its phase, be it written, made of operations or a backfill', () => {
    const phase = 'after' as const;
    const things = table('things', { id: bigint(), n: integer() });
    const check = addCheck.with({ table: 'things', name: 'things_n', check: 'n > 0' });
    for (const definition of [
      migration({ after: 'base', phase, up: nothing, down: nothing }),
      migration({ after: 'base', phase, transaction: false, operations: [check] }),
      backfill({
        after: 'base',
        phase,
        table: things,
        key: 'id',
        frozen: true,
        set: { n: 1 },
        down: 'nothing to undo',
      }),
    ]) {
      expect(bindMigration(definition, revision())).toMatchObject({ phase });
    }
  });

  test('that has no place in the history has no phase either', async () => {
    const source = { phase: 'after', up: nothing } as Parameters<typeof repeatable>[0];
    expect(await refusalOf(() => repeatable(source))).toContain('a repeatable has no "phase"');
  });

  test('passes on what its author said', () => {
    const definition = migration({
      after: 'base',
      atomic: 'migration',
      compatible: true,
      up: nothing,
      down: irreversible('the rows are gone'),
    });
    expect(bindMigration(definition, revision())).toMatchObject({
      atomic: 'migration',
      compatible: true,
      down: { kind: 'irreversible', why: 'the rows are gone' },
    });
  });

  test('is refused under another id than its own', async () => {
    const definition = migration({ after: 'base', id: '0001_old', up: nothing, down: nothing });
    expect(await refusalOf(() => bindMigration(definition, revision()))).toBe(
      "history-bad-id: The migration calls itself '0001_old', but the history knows it as '0001_people'.",
    );
  });

  test('runs both directions over the session it is given', async () => {
    const { session, statements } = recordingSession();
    const bound = bindMigration(
      migration({
        after: 'base',
        tables: { people },
        up: ({ db }) => db.insertInto('people').values({ name: 'Ada' }).execute(),
        down: ({ op }) => op.execute(sql`delete from people where name = ${'Ada'}`),
      }),
      revision(),
    );
    await bound.up(session, tools);
    if (bound.down.kind === 'reversible') await bound.down.run(session, tools);
    expect(statements).toEqual([
      {
        sql: 'insert into "people" ("name") values (cast(:p1 as text))',
        parameters: { p1: 'Ada' },
        options: { rows: false },
      },
      { sql: 'delete from people where name = :p1', parameters: { p1: 'Ada' }, options: { rows: false } },
    ]);
  });

  test('hands progress on', async () => {
    const said: string[] = [];
    const definition = migration({
      after: 'base',
      up: ({ progress }) => Promise.resolve(progress('half way')),
      down: nothing,
    });
    await bindMigration(definition, revision()).up(recordingSession().session, {
      inTransaction: true,
      progress: (message) => said.push(message),
    });
    expect(said).toEqual(['half way']);
  });
});

describe('a table', () => {
  test('is refused without a name or without columns', async () => {
    expect(await refusalOf(() => table('', { a: text() }))).toBe(
      'migration-not-a-migration: A table() has no name.',
    );
    expect(await refusalOf(() => table('t', {}))).toBe(
      "migration-not-a-migration: table('t') names no column.",
    );
  });
});
