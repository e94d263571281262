import { Client } from 'pg';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { irreversible } from '../../lambda/authoring/irreversible.ts';
import { migration, type MigrationDefinition } from '../../lambda/authoring/migration.ts';
import { secret } from '../../lambda/authoring/secret.ts';
import type { RunnerAnswer } from '../../lambda/contract.ts';
import { errorOf, startRunnerPlace, stepsOf, type RunnerPlace } from './runner-place.ts';

const ROLE_SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:role-AbCdEf';
/** A password that an error would quote, a format string and a statement at once. */
const PASSWORD = `s3cr%t'; drop table n; -- :x`;

let place: RunnerPlace;

beforeAll(async () => {
  const value = JSON.stringify({ username: 'app', password: PASSWORD });
  place = await startRunnerPlace([{ arn: ROLE_SECRET, name: 'app/role', value }]);
});
afterAll(async () => {
  await place.close();
});
beforeEach(async () => {
  await place.freshDatabase();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const ask: RunnerPlace['ask'] = (...asked) => place.ask(...asked);
const rows: RunnerPlace['rows'] = (sql) => place.rows(sql);

const create = migration({
  after: 'base',
  up: ({ op }) => op.execute('create table n (n int, what text)'),
  down: ({ op }) => op.execute('drop table n'),
});

describe('a migration that is limited to environments', () => {
  const limited = {
    '0001_n': create,
    '0002_dev': migration({
      after: '0001_n',
      environments: ['dev', 'test'],
      up: ({ op }) => op.execute('insert into n values (1)'),
      down: irreversible('the rows are only for play'),
    }),
    '0003_all': migration({
      after: '0002_dev',
      up: ({ op }) => op.execute('insert into n values (2)'),
      down: ({ op }) => op.execute('delete from n where n = 2'),
    }),
  };

  test('runs where it is meant to', async () => {
    expect(stepsOf(await ask(limited, { action: 'up', environment: 'test' }))).toEqual([
      { migration: '0001_n', outcome: 'applied' },
      { migration: '0002_dev', outcome: 'applied' },
      { migration: '0003_all', outcome: 'applied' },
    ]);
    expect(await rows('select n from n order by n')).toEqual([1, 2]);
  });

  test('is recorded as skipped elsewhere, and every word says so', async () => {
    vi.stubEnv('FORERUN_ENVIRONMENT', 'prod');
    expect(stepsOf(await ask(limited, { action: 'up' }))).toEqual([
      { migration: '0001_n', outcome: 'applied' },
      { migration: '0002_dev', outcome: 'applied', skipped: true },
      { migration: '0003_all', outcome: 'applied' },
    ]);
    expect(await rows('select n from n')).toEqual([2]);
    expect(place.said()).toContain('"note":"skipped","migration":"0002_dev"}');
    const status = await ask(limited, { action: 'status' });
    expect('status' in status && status.status.applied.map(({ id, skipped }) => [id, skipped])).toEqual([
      ['0001_n', false],
      ['0002_dev', true],
      ['0003_all', false],
    ]);
    const history = await ask(limited, { action: 'history' });
    expect('runs' in history && history.runs[0]).toMatchObject({
      applied: ['0001_n', '0003_all'],
      skipped: ['0002_dev'],
    });
    const again = await ask(limited, { action: 'up' });
    expect(stepsOf(again)).toEqual([]);
  });

  test('that was skipped is passed over on the way down, too, though it has no way back', async () => {
    await ask(limited, { action: 'up', environment: 'prod' });
    const down = await ask(limited, {
      action: 'down',
      to: 'base',
      environment: 'prod',
      confirm: place.database(),
    });
    expect(errorOf(down)).toBeNull();
    expect(await rows('select count(*)::int from forerun.migration')).toEqual([0]);
  });

  test('is refused where nobody says which environment this is', async () => {
    expect(errorOf(await ask(limited, { action: 'up' }))).toMatchObject({
      code: 'input-invalid',
      text: { what: 'Limited to environments, and this run does not know its own: 0002_dev.' },
    });
    expect(await rows(`select to_regclass('n')::text`)).toEqual([null]);
  });
});

describe('parameters', () => {
  const told = {
    '0001_n': create,
    '0002_told': migration({
      after: '0001_n',
      params: v.object({
        region: v.string(),
        limits: v.object({ rows: v.pipe(v.number(), v.maxValue(10)) }),
      }),
      async up({ op, params }) {
        const { region, limits } = params;
        await op.execute('insert into n values (:n, :what)', { n: limits.rows, what: region });
      },
      down: irreversible('not needed here'),
    }),
  };

  test('reach the migration from the event', async () => {
    const answer = await ask(told, { action: 'up', params: { region: 'north', limits: { rows: 7 } } });
    expect(errorOf(answer)).toBeNull();
    expect(await rows('select n, what from n')).toEqual([7, 'north']);
  });

  test('and from the runner’s environment', async () => {
    vi.stubEnv('FORERUN_PARAMS', JSON.stringify({ region: 'south', limits: { rows: 8 } }));
    expect(errorOf(await ask(told, { action: 'up' }))).toBeNull();
    expect(await rows('select n, what from n')).toEqual([8, 'south']);
  });

  test.each(['a "quote"', 'back\\slash\\', 'line\nbreak', 'x","admin":"y'])(
    'whose texts only the deploy knew arrive as they are: %j',
    async (region) => {
      vi.stubEnv('FORERUN_PARAMS', '{"region":{"forerun:text":0},"limits":{"rows":8}}');
      vi.stubEnv('FORERUN_PARAMS_TEXT_0', region);
      expect(errorOf(await ask(told, { action: 'up' }))).toBeNull();
      expect(await rows('select n, what from n')).toEqual([8, region]);
    },
  );

  test('whose schema throws are refused without its words', async () => {
    const throwing = migration({
      after: 'base',
      params: { '~standard': { version: 1, vendor: 'own', validate } },
      up: ({ op }) => op.execute('create table n (n int)'),
      down: irreversible('not needed here'),
    });
    const answer = await ask({ '0001_n': throwing }, { action: 'up', params: { word: 'hunter2' } });
    expect(errorOf(answer)?.code).toBe('params-refused');
    expect(JSON.stringify(answer) + place.said()).not.toContain('hunter2');
  });

  test('that the environment holds broken are refused without a word of them', async () => {
    vi.stubEnv('FORERUN_PARAMS', '{"region":"hun"ter2"}');
    const answer = await ask(told, { action: 'up' });
    expect(errorOf(answer)?.code).toBe('input-invalid');
    expect(JSON.stringify(answer) + place.said()).not.toContain('ter2');
  });

  test('that do not fit are refused before anything runs; their places are told, their values are not', async () => {
    const answer = await ask(told, { action: 'up', params: { limits: { rows: 4711 } } });
    expect(errorOf(answer)).toMatchObject({
      code: 'params-refused',
      text: {
        what: 'The parameters do not fit 0002_told: its schema does not take params.region, params.limits.rows.',
      },
    });
    expect(JSON.stringify(answer) + place.said()).not.toContain('4711');
    expect(await rows(`select to_regclass('n')::text`)).toEqual([null]);
    const planned = await ask(told, { action: 'plan' });
    expect('plan' in planned && planned.plan.refusals.map(({ code }) => code)).toEqual(['params-refused']);
  });
});

describe('a parameter that no migration asks for', () => {
  const asking = {
    '0001_n': create,
    '0002_told': migration({
      after: '0001_n',
      params: v.object({ region: v.optional(v.string(), 'north') }),
      up: ({ op, params }) => op.execute('insert into n (what) values (:what)', { what: params.region }),
      down: irreversible('not needed here'),
    }),
  };

  test('is refused before anything runs, with what is asked for', async () => {
    const event = { action: 'up', params: { regoin: 's3cr' } };
    const answer = await ask(asking, event);
    expect(errorOf(answer)).toMatchObject({
      code: 'params-refused',
      text: {
        what: 'No migration asks for the parameter "regoin"; "region" is probably meant.',
        next: expect.stringContaining('Migrations ask for "region": '),
      },
    });
    expect(errorOf(await ask(asking, { ...event, action: 'plan' }))?.code).toBe('params-refused');
    expect(errorOf(await ask({ '0001_n': create }, event))?.text.what).toBe(
      'No migration asks for the parameter "regoin".',
    );
    expect(JSON.stringify(answer) + place.said()).not.toContain('s3cr');
    expect(await rows(`select to_regclass('n')::text`)).toEqual([null]);
  });

  test.each([
    ['any', v.any()],
    ['unknown', v.unknown()],
    ['looseObject', v.looseObject({ region: v.string() })],
    ['record', v.record(v.string(), v.string())],
    ['objectWithRest', v.objectWithRest({ region: v.string() }, v.string())],
    ['union', v.union([v.object({ region: v.number() }), v.object({ other: v.string() })])],
  ])('is none where a schema takes it: %s', async (_, params) => {
    const taking = {
      '0001_n': create,
      '0002_told': migration({
        after: '0001_n',
        params,
        up: () => Promise.resolve(),
        down: irreversible('not needed here'),
      }),
    };
    const given = { action: 'up', params: { region: 'a', other: 'b' } };
    expect(errorOf(await ask(taking, given))).toBeNull();
  });
});

describe('a secret', () => {
  const role = `forerun_role_${process.pid}`;
  const create = (more: string): Readonly<Record<string, MigrationDefinition>> => ({
    '0001_role': migration({
      after: 'base',
      secrets: { app: secret('app/role', 'password') },
      async up({ op, secrets }) {
        await op.utility(`create role ${role} login password :password${more}`, { password: secrets.app });
      },
      down: ({ op }) => op.execute(`drop role ${role}`),
    }),
  });

  test('becomes a role’s password, and stands nowhere', async () => {
    const logged = await loggedStatements(() => ask(create(''), { action: 'up' }));
    expect(errorOf(logged.answer)).toBeNull();
    const { host, port } = place.server;
    const client = new Client({ host, port, user: role, password: PASSWORD, database: place.database() });
    await client.connect();
    await client.end();
    for (const text of [JSON.stringify(logged.answer), place.said(), logged.statements]) {
      expect(text).not.toContain('s3cr');
    }
    const journal = await rows(
      `select concat((select string_agg(r::text, '') from forerun.run r), (select string_agg(e::text, '') from forerun.event e))`,
    );
    expect(JSON.stringify(journal)).not.toContain('s3cr');
    expect(
      errorOf(await ask(create(''), { action: 'down', to: 'base', confirm: place.database() })),
    ).toBeNull();
  });

  test('stays hidden when the statement fails and when the author throws it', async () => {
    const failing = await ask(create(' nonsense'), { action: 'up' });
    expect(errorOf(failing)?.code).toBe('migration-failed');
    const throwing = await ask(
      {
        '0001_throw': migration({
          after: 'base',
          secrets: { app: secret(ROLE_SECRET) },
          up: ({ secrets, progress }) => {
            progress(`the secret is ${secrets.app}`);
            throw new TypeError(`no ${JSON.parse(secrets.app).password}`);
          },
          down: irreversible('not needed here'),
        }),
      },
      { action: 'up' },
    );
    expect(errorOf(throwing)?.text.what).toBe('0001_throw failed: no [secret].');
    const everything = JSON.stringify([failing, throwing]) + place.said();
    expect(everything).toContain('the secret is [secret]');
    expect(everything).not.toContain('s3cr');
    const journal = await rows(`select string_agg(r::text, '') from forerun.run r`);
    expect(JSON.stringify(journal)).not.toContain('s3cr');
  });

  test('stays hidden when the author prints it, until the run is over', async () => {
    const printed: unknown[][] = [];
    vi.spyOn(console, 'log').mockImplementation((...given: unknown[]) => void printed.push(given));
    const out: Pick<Console, 'log'> = globalThis.console;
    const { log } = out;
    const answer = await ask(
      {
        '0001_print': migration({
          after: 'base',
          secrets: { app: secret(ROLE_SECRET, 'password') },
          up: ({ secrets: { app } }) => {
            out.log('the secret is', app);
            out.log({ deep: { in: { an: { object: [app] } } } });
            out.log('%s and %d', 'nothing secret', 7);
            process.stdout.write(`a line with ${app}\n`);
            process.stdout.write(Buffer.from(`bytes with ${app}\n`));
            return Promise.resolve();
          },
          down: irreversible('not needed here'),
        }),
      },
      { action: 'up' },
    );
    expect(errorOf(answer)).toBeNull();
    expect(out.log).toBe(log);
    expect(printed[0]).toEqual(['%s', 'the secret is [secret]']);
    expect(printed[2]).toEqual(['%s and %d', 'nothing secret', 7]);
    expect(place.said()).toContain('a line with [secret]\n');
    expect(place.said()).toContain('bytes with [secret]\n');
    expect(JSON.stringify(printed) + place.said()).not.toContain('s3cr');
  });

  test.each([
    ['app/absent', undefined, 'The secret app/absent could not be read (ResourceNotFoundException).'],
    ['app/role', 'pin', 'The secret app/role holds no text under "pin".'],
  ])('%s that is missing (%s) is refused before the transaction', async (name, field, what) => {
    const asking = {
      '0001_n': migration({
        after: 'base',
        secrets: { app: secret(name, field) },
        up: ({ op }) => op.execute('create table n (n int)'),
        down: irreversible('not needed here'),
      }),
    };
    const answer = await ask(asking, { action: 'up' });
    expect(errorOf(answer)).toMatchObject({
      code: 'secret-unavailable',
      text: { what, state: 'Nothing was changed.' },
    });
    expect(stepsOf(answer)).toEqual([{ migration: '0001_n', outcome: 'not-run' }]);
    expect(await rows(`select count(*)::int from forerun.lease where holder is not null`)).toEqual([0]);
  });
});

/** Every statement that the service was sent meanwhile, without its parameters. */
async function loggedStatements(
  work: () => Promise<RunnerAnswer>,
): Promise<{ answer: RunnerAnswer; statements: string }> {
  place.dataApi.resetCalls();
  const answer = await work();
  return { answer, statements: JSON.stringify(place.dataApi.calls()) };
}

/** A schema's own, which throws what it was given. */
function validate(given: unknown): never {
  throw new TypeError(JSON.stringify(given));
}
