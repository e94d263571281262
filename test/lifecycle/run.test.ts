import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fingerprint, lineOf, startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
let database: FreshDatabase;

beforeAll(async () => {
  place = await startWorkplace();
});
afterAll(async () => {
  await place.close();
});
beforeEach(async () => {
  database = await place.freshDatabase();
  place.dataApi.resetCalls();
});

const people = lineOf(
  { id: '0001_people', up: ['create table people (name text)'], down: ['drop table people'] },
  {
    id: '0002_ada',
    up: [`insert into people values ('ada')`],
    down: [`delete from people where name = 'ada'`],
  },
  {
    id: '0003_double',
    up: ['alter table people add column points int default 5', 'update people set points = points * 2'],
    down: ['alter table people drop column points'],
  },
);

const outcomes = (steps: readonly { migration: string; outcome: string }[]): string =>
  steps.map(({ migration, outcome }) => `${migration.slice(0, 4)} ${outcome}`).join(', ');

describe('a run', () => {
  test('applies all pending migrations and, asked again, none', async () => {
    const first = await database.up(people);
    expect(first.error).toBeNull();
    expect(first.outcome).toBe('applied');
    expect(outcomes(first.steps)).toBe('0001 applied, 0002 applied, 0003 applied');
    const second = await database.up(people);
    expect(second).toMatchObject({ outcome: 'applied', steps: [], error: null, dataApiCalls: 1 });
    expect(await database.query('select * from people')).toEqual([{ name: 'ada', points: 10 }]);
  });

  test('leaves nothing of a group in which a statement fails', async () => {
    const broken = [
      ...people.slice(0, 2),
      ...lineOf(
        { id: '0001_people', up: [] },
        { id: '0002_ada', up: [] },
        { id: '0003_broken', up: [`insert into people values ('bob')`, 'insert into nowhere values (1)'] },
      ).slice(2),
    ];
    const result = await database.up(broken);
    expect(result.outcome).toBe('rolled-back');
    expect(outcomes(result.steps)).toBe('0001 rolled-back, 0002 rolled-back, 0003 rolled-back');
    expect(result.error?.code).toBe('migration-failed');
    expect(result.error?.place).toEqual({
      migration: '0003_broken',
      statement: 2,
      sql: 'insert into nowhere values (1)',
      sqlState: '42P01',
    });
    expect(result.error?.text.what).toBe(
      '0003_broken failed at statement 2 (SQLSTATE 42P01): relation "nowhere" does not exist.',
    );
    expect(result.error?.text.state).toBe(
      'Nothing of it stays: it was rolled back together with its group (0001_people, 0002_ada, 0003_broken).',
    );
    expect(await database.query(`select to_regclass('people') as people`)).toEqual([{ people: null }]);
    expect(await database.query('select * from forerun.migration')).toEqual([]);
  });

  test('keeps earlier migrations when each has a transaction of its own', async () => {
    const broken = lineOf(
      { id: '0001_people', up: ['create table people (name text)'] },
      { id: '0002_broken', up: ['insert into nowhere values (1)'] },
      { id: '0003_never', up: [`insert into people values ('eve')`] },
    );
    const result = await database.up(broken, { atomic: 'migration' });
    expect(outcomes(result.steps)).toBe('0001 applied, 0002 rolled-back, 0003 not-run');
    expect(result.error?.text.state).toContain('Committed before it, and standing: 0001_people.');
    expect(await database.query('select id from forerun.migration')).toEqual([{ id: '0001_people' }]);
    expect(await database.query('select count(*)::int as n from people')).toEqual([{ n: 0 }]);
  });

  test('goes up, down and up again to the same database', async () => {
    await database.up(people);
    const above = await database.query('select * from people');
    const back = await database.down(people, '0001_people');
    expect(outcomes(back.steps)).toBe('0003 applied, 0002 applied');
    expect(await database.query('select * from people')).toEqual([]);
    expect(await database.query('select id from forerun.migration')).toEqual([{ id: '0001_people' }]);
    await database.up(people);
    expect(await database.query('select * from people')).toEqual(above);
    await database.down(people, 'base');
    expect(await database.query(`select to_regclass('people') as people`)).toEqual([{ people: null }]);
  });

  test('stops at the named migration', async () => {
    const result = await database.up(people, { to: '0002_ada' });
    expect(outcomes(result.steps)).toBe('0001 applied, 0002 applied');
    expect((await database.query('select id from forerun.migration order by id')).length).toBe(2);
  });

  test('does not commit when a migration swallows the error of its statement', async () => {
    const careless = lineOf({
      id: '0001_careless',
      up: async (session) => {
        await session.execute({ sql: 'create table kept (n int)' }, { rows: false });
        await session
          .execute({ sql: 'insert into nowhere values (1)' }, { rows: false })
          .catch(() => undefined);
      },
    });
    const result = await database.up(careless);
    expect(result.outcome).toBe('rolled-back');
    expect(result.error?.place.sqlState).toBe('42P01');
    expect(await database.query(`select to_regclass('kept') as kept`)).toEqual([{ kept: null }]);
  });

  test('does not commit when a migration forgets to await a statement', async () => {
    const forgetful = lineOf({
      id: '0001_forgetful',
      up: (session) => {
        void session.execute({ sql: 'create table kept (n int)' }, { rows: false });
        return Promise.resolve();
      },
    });
    const result = await database.up(forgetful);
    expect(result.outcome).toBe('rolled-back');
    expect(result.error?.text.what).toContain('still under way');
    expect(await database.query(`select to_regclass('kept') as kept`)).toEqual([{ kept: null }]);
  });

  test('sends statements one at a time when a migration starts them together', async () => {
    const parallel = lineOf({
      id: '0001_parallel',
      up: async (session) => {
        await session.execute({ sql: 'create table many (n int)' }, { rows: false });
        await Promise.all(
          [1, 2, 3, 4].map((n) =>
            session.execute({ sql: 'insert into many values (:n)', parameters: { n } }, { rows: false }),
          ),
        );
      },
    });
    expect((await database.up(parallel)).error).toBeNull();
    expect(await database.query('select sum(n)::int as sum from many')).toEqual([{ sum: 10 }]);
  });

  test.each([
    'commit',
    'rollback',
    'begin',
    'set search_path = x',
    '/* hidden */ COMMIT',
    '-- hidden\rcommit',
    'reset all',
  ])('refuses "%s" inside a migration before it is sent', async (sql) => {
    const result = await database.up(lineOf({ id: '0001_rude', up: ['create table kept (n int)', sql] }));
    expect(result.error?.code).toBe('statement-refused');
    expect(result.outcome).toBe('rolled-back');
    expect(await database.query(`select to_regclass('kept') as kept`)).toEqual([{ kept: null }]);
  });

  test('reports a commit that a deferred constraint turns down', async () => {
    const deferred = lineOf({
      id: '0001_deferred',
      up: [
        'create table parent (id int primary key)',
        'create table child (parent int references parent deferrable initially deferred)',
        'insert into child values (7)',
      ],
    });
    const result = await database.up(deferred);
    expect(result.outcome).toBe('rolled-back');
    expect(result.error?.place.sqlState).toBe('23503');
    expect(result.error?.text.what).not.toContain('(7)');
    expect(await database.query(`select to_regclass('child') as child`)).toEqual([{ child: null }]);
  });

  test('never shows a parameter value in an error', async () => {
    const secretive = lineOf({
      id: '0001_secretive',
      up: async (session) => {
        await session.execute({ sql: 'create table account (email text primary key)' }, { rows: false });
        for (let time = 0; time < 2; time += 1) {
          const parameters = { email: 'ada@example.org' };
          await session.execute({ sql: 'insert into account values (:email)', parameters }, { rows: false });
        }
      },
    });
    const result = await database.up(secretive);
    expect(result.error?.place.sqlState).toBe('23505');
    expect(JSON.stringify(result)).not.toContain('ada@');
    expect(JSON.stringify(await database.query('select * from forerun.run'))).not.toContain('ada@');
  });

  test.each([1, 5, 20])(
    'of %i migrations of two statements costs N·k + 6 calls on an installed journal',
    async (n) => {
      await database.up([]);
      place.dataApi.resetCalls();
      const history = lineOf(
        ...Array.from({ length: n }, (_, index) => ({
          id: `m${String(index).padStart(3, '0')}`,
          up: [`create table t${index} (n int)`, `insert into t${index} values (1)`],
        })),
      );
      const result = await database.up(history);
      expect(result.error).toBeNull();
      expect(place.dataApi.calls().length).toBe(n * 2 + 6);
      expect(result.dataApiCalls).toBe(n * 2 + 6);
      place.dataApi.resetCalls();
      await database.up(history);
      expect(place.dataApi.calls().length).toBe(1);
    },
  );

  test('returns the stored end of a run that was asked under the same key', async () => {
    const first = await database.up(people, { runKey: 'deploy-1/stack/Migrations' });
    const again = await database.up(people, { runKey: 'deploy-1/stack/Migrations' });
    expect(again).toEqual({ ...first, dataApiCalls: 1, repeated: true });
  });

  test('by two runners at once takes effect once', async () => {
    const slow = lineOf(
      { id: '0001_n', up: ['create table n (n int)'] },
      { id: '0002_one', up: ['insert into n values (1)', `do 'begin perform pg_sleep(0.2); end'`] },
    );
    const results = await Promise.all([1, 2, 3].map(() => database.up(slow)));
    expect(results.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'applied']);
    expect(results.flatMap(({ steps }) => steps).filter(({ outcome }) => outcome === 'applied').length).toBe(
      2,
    );
    expect(await database.query('select * from n')).toEqual([{ n: 1 }]);
  });
});

describe('refusals', () => {
  test('a changed migration is not applied again and nothing else is done', async () => {
    await database.up(people.slice(0, 1));
    const changed = people.map((one) => (one.id === '0001_people' ? { ...one, checksum: 'v1:other' } : one));
    const result = await database.up(changed);
    expect(result.error?.code).toBe('plan-changed');
    expect(result.dataApiCalls).toBe(1);
    expect((await database.query('select * from forerun.migration')).length).toBe(1);
  });

  test('an older release is told that the database is ahead', async () => {
    await database.up(people);
    const result = await database.up(people.slice(0, 2));
    expect(result.error?.code).toBe('plan-ahead');
    expect(result.error?.text.what).toBe('The database is ahead of this release by 1: 0003_double.');
  });
});

describe('bad surroundings', () => {
  test.each([
    ['a missing database', { database: 'nowhere' }, '3D000', 'Create the database, or correct its name'],
    [
      'a secret that does not exist',
      { secretArn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:gone-AbCdEf' },
      undefined,
      'Look at the cluster ARN, the secret ARN and the database name',
    ],
    [
      'a Data API that refuses connections',
      { endpoint: 'http://127.0.0.1:9', patienceMs: 300 },
      undefined,
      'writer',
    ],
  ])('%s ends in one clear message', async (_claim, options, sqlState, advice) => {
    const result = await database.up(people, options);
    expect(result.outcome).toBe('not-run');
    expect(result.error?.place.sqlState).toBe(sqlState);
    expect(result.error?.text.next).toContain(advice);
    expect(await database.query(`select to_regnamespace('forerun') as schema`)).toEqual([{ schema: null }]);
  });
});

describe('lost answers', () => {
  const history = lineOf(
    { id: '0001_count', up: ['create table count (n int)', 'insert into count values (1)'] },
    { id: '0002_double', up: ['update count set n = n * 2', 'insert into count values (10)'] },
  );
  const calls = 10;

  test.each(
    Array.from({ length: calls }, (_, index) => index + 1).flatMap((nth) => [
      [nth, 'drop-before'] as const,
      [nth, 'drop-after'] as const,
    ]),
  )('call %i of an installed journal, %s: every effect counts once', async (nth, kind) => {
    const calm = await place.freshDatabase();
    await calm.up([]);
    await calm.up(history);
    await database.up([]);
    place.dataApi.faults.next({ nth, kind });
    const result = await database.up(history);
    place.dataApi.faults.clear();
    expect(result.outcome).toBe('applied');
    expect(outcomes(result.steps)).toBe('0001 applied, 0002 applied');
    expect(await fingerprint(database)).toBe(await fingerprint(calm));
    expect((await database.up(history)).dataApiCalls).toBe(1);
  });
});
