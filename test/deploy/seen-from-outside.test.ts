import { readFileSync } from 'node:fs';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Attributes, RunEventDetail } from '../../lambda/contract.ts';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import { lambdaOf, module, openStage, openTheatre, STACK, type HandAnswer, type Stage } from './stage.ts';

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

const first = {
  '0001_notes.ts': module(
    'base',
    ['create table notes (body text)', `insert into notes values ('one'), ('two'), ('three')`],
    { down: ['drop table notes'] },
  ),
};
const broken = { ...first, '0002_broken.ts': module('0001_notes', ['insert into notes values (1/0)']) };
const second = {
  ...first,
  '0002_more.ts': module('0001_notes', ['create table more (n int)'], { compatible: true }),
};

const fill = `import { backfill, bigint, integer, sql, table } from 'forerun';
const numbers = table('numbers', { id: bigint(), half: integer().nullable() });
export default backfill({
  after: '0001_numbers',
  table: numbers,
  key: 'id',
  where: sql\`half is null\`,
  transform: ({ id }) => ({ half: LIMIT(Number(id)) }),
  down: 'nothing to undo',
});
`;
const numbers = {
  '0001_numbers.ts': module('base', [
    'create table numbers (id bigint primary key, half int)',
    'insert into numbers select g, null from generate_series(1, 700) g',
    // Only then the database can tell how many rows there are.
    'analyze numbers',
  ]),
};
const backfilled = { ...numbers, '0002_half.ts': fill.replace('LIMIT', 'Math.floor') };

const text = expect.any(String) as string;
/** Each of them is some text, whatever happened: one that is missing would fail the output that reads it. */
const ATTRIBUTES: Readonly<Record<keyof Attributes, string>> = {
  Head: text,
  DeployId: text,
  Outcome: text,
  Applied: text,
  Ahead: text,
  Compatible: text,
};

describe('the metrics of a deploy', () => {
  test('count what was applied and written, under the name of the runner', async () => {
    await stage.deploy('r1', first);
    expect(measured(stage.runnerLog())).toEqual([
      {
        Runner: physicalId('AWS::Lambda::Function', 'MigrationsRunner'),
        Applied: 1,
        Reverted: 0,
        Failed: 0,
        Rows: 3,
        Duration: expect.any(Number) as number,
        DataApiCalls: expect.any(Number) as number,
        LeaseWait: 0,
        BackfillsStopped: 0,
        DatabaseAhead: 0,
      },
    ]);
    expect(measured(stage.gateLog())).toEqual([
      { Runner: physicalId('AWS::Lambda::Function', 'MigrationsRunner'), DeployFailed: 0 },
    ]);
  });

  test('count a failure once, and nothing of what was rolled back', async () => {
    await stage.deploy('r1', first);
    await stage.deploy('r2', broken);
    expect(measured(stage.gateLog()).map(({ DeployFailed }) => DeployFailed)).toEqual([0, 1, 0]);
    const runs = measured(stage.runnerLog()).filter(({ Failed }) => Failed !== undefined);
    expect(runs[1]).toMatchObject({ Applied: 0, Failed: 1, Rows: 0 });
  });

  test('show how far a rollback leaves the database ahead, until the next deploy', async () => {
    await stage.deploy('r1', first);
    await stage.deploy('r2', second, { AppAlias: 'not healthy' });
    await stage.deploy('r3', second);
    const ahead = measured(stage.runnerLog()).map(({ DatabaseAhead }) => DatabaseAhead);
    expect(ahead.filter((one) => one !== undefined)).toEqual([0, 0, 1, 0]);
  });
});

describe('the metrics of backfills', () => {
  const stuck = {
    ...numbers,
    '0002_half.ts': fill.replace('LIMIT(Number(id))', 'Number(id) === 5 ? 3_000_000_000 : 1'),
  };

  test('sum up its batches, and the lines tell its progress', async () => {
    await stage.deploy('r1', backfilled);
    const lines = linesOf(stage.runnerLog());
    const progress = lines.filter(({ note }) => note === 'backfill-progress');
    const sum = (name: string): number => progress.reduce((rows, line) => rows + Number(line[name]), 0);
    expect(sum('BackfillRows')).toBe(700);
    expect(sum('BackfillBatches')).toBe(sum('batches'));
    expect(progress.at(-1)).toMatchObject({
      backfill: '0002_half',
      deployId: 'r1',
      changed: expect.any(Number) as number,
    });
    expect(lines.filter(({ note }) => note === 'batch')).toEqual([]);
    expect(lines.find(({ note }) => note === 'backfill')).toMatchObject({ state: 'succeeded' });
  });

  test('tell of one that stopped, until a person gives it up', async () => {
    await stage.deploy('r1', stuck);
    await invoke('Act', { action: 'backfill' });
    const stopped = () =>
      measured(stage.runnerLog())
        .map(({ BackfillsStopped }) => BackfillsStopped)
        .filter((one) => one !== undefined);
    expect(stopped().at(-1)).toBe(1);
    expect(linesOf(stage.runnerLog()).find(({ note }) => note === 'backfill')).toMatchObject({
      level: 'ERROR',
      backfill: '0002_half',
      state: expect.stringMatching(/paused|failed/) as string,
    });
    await stage.deploy('r2', stuck);
    expect(stopped().at(-1)).toBe(1);
    await invoke('Act', { action: 'cancel', backfill: '0002_half' });
    expect(stopped().at(-1)).toBe(0);
  });
});

describe('the event bus', () => {
  const bus = { eventBus: 'Bus' };
  test('hears of every run of a deploy, of its rollback, and of what is done by hand', async () => {
    await stage.deploy('r1', first, {}, bus);
    await stage.deploy('r2', second, { AppAlias: 'not healthy' }, bus);
    await stage.deploy('r3', broken, {}, bus);
    expect(await invoke('Act', { action: 'down', to: 'base', confirm: 'app', by: 'ada' })).toMatchObject({
      ok: false,
    });
    const busArn = String(
      stage.rehearsal.cloudFormation
        .stack(STACK)
        ?.resources.find(({ type }) => type === 'AWS::Events::EventBus')?.attributes['Arn'],
    );
    for (const event of stage.rehearsal.events) expect(event).toMatchObject({ busArn, source: 'forerun' });
    expect(told().map(({ action, ok, outcome }) => `${action} ${outcome} ${ok ? 'ok' : 'in vain'}`)).toEqual([
      'up applied ok',
      'up applied ok',
      'settle settled ok',
      'up not-run in vain',
      'settle settled ok',
      'down not-run in vain',
    ]);
    expect(stage.rehearsal.events[0]).toMatchObject({
      detailType: 'Forerun Run Ended',
      detail: {
        version: '1',
        history: 'default',
        database: 'app',
        head: '0001_notes',
        deployId: 'r1',
        owner: expect.stringContaining(':stack/Shop/') as string,
        applied: ['0001_notes'],
        migrations: 1,
        rows: 3,
        error: null,
        verdict: null,
      },
    });
    expect(stage.rehearsal.events[2]).toMatchObject({
      detailType: 'Forerun Rollback Settled',
      detail: { deployId: 'r1', verdict: { ahead: ['0002_more'], compatible: 'yes' } },
    });
    expect(told()[3]).toMatchObject({ deployId: 'r3', error: { code: expect.any(String) as string } });
    expect(told()[5]).toMatchObject({ deployId: null, owner: null });
  });

  test('that may not be told fails no deploy, and the log says so', async () => {
    const result = await stage.deploy('r1', first, {}, { ...bus, eventsDenied: true });
    expect(result.status).toBe('CREATE_COMPLETE');
    expect(stage.rehearsal.events).toEqual([]);
    expect(stage.runnerLog()).toContain('"note":"event-not-sent"');
    expect(stage.runnerLog()).toContain('is not authorized to perform: events:PutEvents');
  });

  test('is told nothing, and nothing is granted, where nobody asked for it', async () => {
    await stage.deploy('r1', first);
    expect(stage.rehearsal.events).toEqual([]);
    expect(JSON.stringify(stage.rehearsal.cloudFormation.stack(STACK)?.resources)).not.toContain('PutEvents');
  });
});

describe('the lines of both logs', () => {
  test('are JSON with level, message, time, and the run and deploy that they belong to', async () => {
    await stage.deploy('r1', first);
    await stage.deploy('r2', broken);
    const runner = linesOf(stage.runnerLog());
    const gate = linesOf(stage.gateLog());
    for (const line of [...runner, ...gate]) {
      expect(line).toMatchObject({
        level: expect.stringMatching(/^(?:INFO|WARN|ERROR)$/) as string,
        message: expect.stringMatching(/./) as string,
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
        service: 'forerun',
        function_request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        deployId: expect.stringMatching(/^r[12]$/) as string,
      });
    }
    for (const line of runner) expect(line['runId']).toMatch(/^[0-9a-f-]{36}\/[0-9a-f]{8}$/);
    const ended = runner.filter(({ note }) => note === 'ended').at(-1);
    // The same run in the gate's answer, and the same request of CloudFormation in both.
    const answer = gate.find(({ runId }) => runId === ended?.['runId']);
    expect(answer).toMatchObject({ level: 'ERROR', gateRequestId: ended?.['gateRequestId'] });
    const journal = await invoke('Read', { action: 'history' });
    expect(journal.runs?.map((run) => (run as { id?: string }).id)).toContain(ended?.['runId']);
  });
});

test('the queries and the example of the docs fit the lines', async () => {
  await stage.deploy('r1', backfilled);
  await stage.deploy('r2', { ...backfilled, '0003_broken.ts': module('0002_half', ['select 1/0']) });
  const lines = [...linesOf(stage.runnerLog()), ...linesOf(stage.gateLog())];
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const queries = [...page.matchAll(/```text\n(#[\s\S]*?)```/g)].map(([, query = '']) => query);
  expect(queries.length).toBeGreaterThan(3);
  for (const query of queries) {
    const note = /filter note = "([^"]+)"/.exec(query)?.[1];
    const found = lines.filter((line) => note === undefined || line['note'] === note);
    const fields = [
      ...(/^fields (.+)$/m.exec(query)?.[1]?.split(', ') ?? []),
      /filter (\w+) =/.exec(query)?.[1] ?? '',
    ];
    for (const field of fields.filter((one) => one !== '@timestamp')) {
      const values = found.map((line) => field.split('.').reduce<unknown>(memberOf, line));
      expect(values, `${field} of ${query}`).toContainEqual(expect.anything());
    }
  }
  const example = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '{}') as object;
  const statement = lines.find((line) => line['note'] === 'statement') ?? {};
  expect(Object.keys(example)).toEqual(Object.keys(statement));
});

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

describe('the attributes of the resource', () => {
  test('are all there after a deploy and after a rollback, whose outputs read them too', async () => {
    await stage.deploy('r1', first);
    expect(stage.attributes()).toMatchObject({ ...ATTRIBUTES, Applied: '1', Ahead: '', Compatible: 'yes' });
    await stage.deploy('r2', second, { AppAlias: 'not healthy' });
    expect(stage.attributes()).toMatchObject({ ...ATTRIBUTES, DeployId: 'r1', Ahead: '0002_more' });
  });
});

describe('the aliases of the runner', () => {
  test('take readings through both, and changes through one', async () => {
    await stage.deploy('r1', first);
    for (const alias of ['Read', 'Act']) {
      expect(await invoke(alias, { action: 'status' })).toMatchObject({ ok: true, status: { pending: [] } });
      expect(await invoke(alias, { action: 'plan' })).toMatchObject({ ok: true });
      expect(await invoke(alias, { action: 'history' })).toMatchObject({ ok: true });
    }
    stage.rehearsal.dataApi.resetCalls();
    for (const event of [
      { action: 'up' },
      { action: 'down', to: 'base', confirm: 'app' },
      { action: 'unlock', reason: 'why', confirm: 'app' },
      { action: 'repair', reason: 'why' },
      { action: 'stamp', to: 'base', reason: 'why', confirm: 'app' },
    ]) {
      expect(await invoke('Read', event)).toMatchObject({ ok: false, error: { code: 'read-only' } });
    }
    expect(stage.rehearsal.dataApi.calls()).toEqual([]);
    expect(await invoke('Act', { action: 'down', to: 'base', confirm: 'app' })).toMatchObject({ ok: true });
  });

  test('take nothing back before the name of the database was said', async () => {
    await stage.deploy('r1', first);
    stage.rehearsal.dataApi.resetCalls();
    for (const event of [
      { action: 'down', to: 'base' },
      { action: 'down', to: 'base', confirm: 'another' },
      { action: 'unlock', reason: 'why' },
      { action: 'stamp', to: 'base', reason: 'why' },
    ]) {
      const answer = await invoke('Act', event);
      expect(answer).toMatchObject({ ok: false, error: { code: 'not-confirmed' } });
      expect(answer.error?.text.next).toContain('"confirm":"app"');
    }
    expect(stage.rehearsal.dataApi.calls()).toEqual([]);
  });
});

const linesOf = (log: string): readonly Readonly<Record<string, unknown>>[] =>
  log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const told = (): readonly RunEventDetail[] =>
  stage.rehearsal.events.map(({ detail }) => detail as RunEventDetail);

function physicalId(type: string, beginning: string): string {
  const resource = stage.rehearsal.cloudFormation
    .stack(STACK)
    ?.resources.find((one) => one.type === type && one.logicalId.startsWith(beginning));
  return String(resource?.physicalId);
}

/** What every line of a log may carry beside its own. */
const LINE = [
  'level',
  'message',
  'timestamp',
  'service',
  'function_request_id',
  'runId',
  'deployId',
  'gateRequestId',
  'note',
  'backfill',
  'percent',
  'rowsPerSecond',
  'etaSeconds',
  'scanned',
  'total',
  'changed',
  'batches',
];

/** What CloudWatch would make metrics of: the lines in its own format, with each value that the format declares. */
function measured(log: string): readonly Readonly<Record<string, unknown>>[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{"_aws"'))
    .map((line) => {
      const { _aws, ...all } = JSON.parse(line) as {
        readonly _aws: {
          readonly Timestamp: number;
          readonly CloudWatchMetrics: readonly [
            {
              readonly Namespace: string;
              readonly Dimensions: readonly (readonly string[])[];
              readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
            },
          ];
        };
      };
      const [{ Namespace, Dimensions, Metrics }] = _aws.CloudWatchMetrics;
      const values = Object.fromEntries(Object.entries(all).filter(([name]) => !LINE.includes(name)));
      expect(Namespace).toBe('Forerun');
      expect([...Dimensions.flat(), ...Metrics.map(({ Name }) => Name)].sort()).toEqual(
        Object.keys(values).sort(),
      );
      return values;
    });
}

async function invoke(alias: string, event: object): Promise<HandAnswer> {
  const client = lambdaOf(stage.rehearsal);
  try {
    const FunctionName = physicalId('AWS::Lambda::Alias', `Migrations${alias}`);
    const { Payload } = await client.send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }),
    );
    return JSON.parse(Buffer.from(Payload ?? []).toString()) as HandAnswer;
  } finally {
    client.destroy();
  }
}
