import { ExecuteStatementCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import { loadModule, parsePlPgSQLSync, parseSync } from 'libpg-query';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { backfill, bigint, integer, migration, repeatable, sql, table, text } from 'forerun';
import { PLANT_DECOYS } from './decoys.ts';
import { errorOf, startRunnerPlace, type Definitions, type RunnerPlace } from './runner-place.ts';

let place: RunnerPlace;
let statements: Set<string>;
let meanwhile: (() => void) | null = null;

beforeAll(async () => {
  place = await startRunnerPlace();
  await loadModule();
});
afterAll(() => place.close());
beforeEach(async () => {
  await place.freshDatabase();
  statements = new Set();
  const { send } = RDSDataClient.prototype;
  vi.spyOn(RDSDataClient.prototype, 'send').mockImplementation(function (this: RDSDataClient, ...args) {
    const [command] = args;
    if (command instanceof ExecuteStatementCommand) {
      const { sql: text = '' } = command.input;
      statements.add(text);
      if (text.startsWith('/* forerun 0009_operated */')) meanwhile?.();
    }
    return send.apply(this, args);
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const things = table('thing', { id: bigint(), n: integer().nullable(), mark: text().nullable() });
const copies = table('copy', { id: bigint(), mark: text().nullable() });

const common = { table: things, key: 'id', pauseMs: 0, batchRows: 20, down: 'nothing to undo' } as const;
const held = { ...common, hold: true } as const;

const history: Definitions = {
  '0001_create': migration({
    after: 'base',
    async up({ op }) {
      await op.execute('create table thing (id bigint primary key, n integer, mark text)');
      await op.execute('create table copy (id bigint primary key, mark text)');
      await op.execute('insert into thing (id) select pg_catalog.generate_series(1, 600)');
      // Other people's tables, so that each part of the catalog has rows to be compared.
      await op.execute('create table parted (id integer primary key) partition by range (id)');
      await op.execute('create table part partition of parted for values from (1) to (9)');
      await op.execute(
        'create trigger untouched before update on part for each row execute function suppress_redundant_updates_trigger()',
      );
      await op.execute('create rule unwritten as on update to parted where old.id = 0 do instead nothing');
    },
    async down({ op }) {
      await op.execute('drop table thing');
      await op.execute('drop table copy');
      await op.execute('drop table parted');
    },
  }),
  '0002_set': backfill({ ...held, after: '0001_create', parallel: 2, where: sql`n is null`, set: { n: 1 } }),
  '0003_transform': backfill({
    ...held,
    after: '0002_set',
    where: sql`mark is null`,
    transform: ({ id }) => ({ mark: String(id) }),
  }),
  '0004_frozen': backfill({
    ...held,
    after: '0003_transform',
    frozen: true,
    parallel: 2,
    set: { n: sql`n + 1` },
  }),
  '0005_batch': backfill({
    ...held,
    after: '0004_frozen',
    where: sql`n = 2`,
    batch: ({ op, rows }) => op.execute(sql`update thing set n = 3 where ${rows}`),
  }),
  '0006_copy': backfill({
    ...held,
    after: '0005_batch',
    insertFrom: { into: copies, columns: { id: 'id', mark: 'mark' } },
  }),
  '0007_alone': migration({
    after: '0006_copy',
    transaction: false,
    up: ({ op }) => op.execute('create index concurrently thing_n on thing (n)'),
    down: ({ op }) => op.execute('drop index concurrently thing_n'),
  }),
  '0008_long': migration({
    after: '0007_alone',
    long: true,
    up: ({ op }) => op.execute(sql`update thing set mark = ${'x'} where id = 5`),
    down: ({ op }) => op.execute('select 1'),
  }),
  '0009_operated': backfill({ ...common, after: '0008_long', where: sql`n = 3`, set: { n: 4 } }),
  words: repeatable({ up: ({ op }) => op.execute('select 1') }),
};

/** Every unqualified call of a function in a statement, and in the bodies of functions and blocks within it. */
function unqualifiedCalls(statement: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [name, value] of Object.entries(node)) {
      if (name === 'FuncCall') found.push(...calledIn(value));
      if (name === 'DefElem') found.push(...bodiesIn(value).flatMap(callsInBody));
      visit(value);
    }
  };
  visit(parsed(statement));
  return found;
}

const parsed = (statement: string): unknown => {
  const text = statement.replaceAll(/(?<![:\w]):[a-z_]\w*/g, '$1');
  try {
    return parseSync(text);
  } catch {
    return parseSync(`select ${text}`);
  }
};

const calledIn = ({ funcname }: { funcname: readonly { String: { sval: string } }[] }): readonly string[] =>
  funcname.length === 1 ? funcname.map(({ String: { sval } }) => sval) : [];

/** The body of a `do` block or a function, whose option is called `as`. */
const bodiesIn = (option: { readonly defname: string; readonly arg: object }): readonly string[] =>
  option.defname === 'as'
    ? [...JSON.stringify(option.arg).matchAll(/"sval":("(?:[^"\\]|\\.)*")/g)].map(
        ([, text]) => JSON.parse(text ?? '""') as string,
      )
    : [];

const callsInBody = (body: string): readonly string[] => {
  const queries: string[] = [];
  const block = parsePlPgSQLSync(`create function f() returns text language plpgsql as $body$${body}$body$`);
  JSON.stringify(block, (name, value: unknown) => {
    if (name === 'query' && typeof value === 'string') queries.push(value);
    return value;
  });
  return queries.flatMap(unqualifiedCalls);
};

/** Without time to spare, so that what need not be done at once is left to a person. */
const deploy = (runKey: string) => ({
  deployId: 'd',
  owner: 'stack/o',
  runKey,
  digest: 'digest',
  deadlineMs: Date.now() + 25_000,
  askedAtMs: 1,
});

const ask = (event: object) => place.ask(history, event);

async function succeed(event: object): Promise<void> {
  expect({ event, error: errorOf(await ask(event)) }).toEqual({ event, error: null });
}

describe('SQL of our own', () => {
  test('calls nothing that somebody else has put into the schema public', async () => {
    await place.rows(PLANT_DECOYS);
    const backfill = '0009_operated';
    const confirm = place.database();
    const said = { reason: 'a test', by: 'anna' };
    const trial = { action: 'backfill', dryRun: true };
    for (const [to, tried] of [
      ['0001_create', '0002_set'],
      ['0002_set', '0003_transform'],
      ['0004_frozen', '0005_batch'],
      ['0005_batch', '0006_copy'],
    ]) {
      await succeed({ action: 'up', to });
      await succeed({ ...trial, backfill: tried });
    }
    await succeed({ action: 'up', to: '0008_long' });
    await succeed({ action: 'up', deploy: deploy('up') });
    for (const action of ['pause', 'resume', 'cancel', 'retry']) await succeed({ action, backfill, ...said });
    await succeed({ action: 'tune', backfill, mostRows: 2, pauseMs: 10, ...said });
    const tuned: Promise<void>[] = [];
    meanwhile = () => {
      meanwhile = null;
      tuned.push(succeed({ action: 'tune', backfill, parallel: 3, ...said }));
    };
    await succeed({ action: 'backfill', backfill });
    await Promise.all(tuned);
    await succeed({ action: 'backfills' });
    await succeed({ action: 'backfills', backfill });
    expect(
      await place.rows(
        "select max(number)::int from forerun.backfill_range where backfill = '0009_operated'",
      ),
    ).not.toEqual([1]);
    for (const action of ['plan', 'status', 'history']) await succeed({ action });
    await succeed({ action: 'unlock', confirm, ...said });
    await succeed({ action: 'repair', ...said });
    await succeed({ action: 'up' });
    await succeed({ action: 'stamp', to: '0008_long', confirm, ...said });
    await succeed({ action: 'stamp', to: 'head', confirm, ...said });
    await succeed({ action: 'settle', deploy: deploy('settle') });
    await succeed({
      action: 'revert',
      owners: ['stack/o'],
      sinceMs: 0,
      everything: false,
      deploy: deploy('revert'),
    });
    const all = await ask({
      action: 'revert',
      owners: ['stack/o'],
      sinceMs: 0,
      everything: true,
      deploy: deploy('all'),
    });
    expect(errorOf(all)?.code).toBe('plan-not-together');
    await succeed({ action: 'down', to: 'base', confirm });
    // The first look at a database without a journal.
    expect(place.dataApi.calls().flatMap(({ error }) => error?.sqlState ?? [])).toEqual(['42P01']);
    expect(await place.rows('select is_called from public.decoys')).toEqual([false]);
    expect([...statements].flatMap(unqualifiedCalls)).toEqual([]);
  });
});
