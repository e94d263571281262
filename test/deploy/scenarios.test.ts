import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import { lambdaOf, module, openStage, openTheatre, STACK, type Stage } from './stage.ts';

let postgres: LocalPostgres;
let stage: Stage;

beforeAll(async () => {
  postgres = await openTheatre();
});
afterAll(async () => {
  await postgres.stop();
});
afterEach(async () => {
  await stage.close();
});

const first = { '0001_notes.ts': module('base', ['create table notes (body text)']) };

const applied = async (): Promise<readonly unknown[]> =>
  (await stage.rows('select id from forerun.migration order by id')).map(({ id }) => id);

/** What CloudFormation shows of the resource that holds the deploy, where it failed. */
const reasonIn = (
  events: readonly { readonly status: string; readonly logicalId: string; readonly reason?: string }[],
) =>
  events.find(({ status, logicalId }) => status.endsWith('_FAILED') && logicalId.startsWith('Migrations'))
    ?.reason ?? '';

describe('an update', () => {
  test('whose second migration fails midway leaves nothing of itself, and the old app live', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    const broken = {
      ...first,
      '0002_titles.ts': module('0001_notes', ['alter table notes add column title text']),
      '0003_half.ts': module('0002_titles', [
        `insert into notes (body) values ('half')`,
        'insert into nowhere values (1)',
      ]),
    };
    const result = await stage.deploy('r2', broken);
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(reasonIn(result.events)).toMatch(/0003_half.*42P01.*Statement: insert into nowhere/s);
    expect(await applied()).toEqual(['0001_notes']);
    expect(await stage.rows('select * from notes')).toEqual([]);
    expect(result.events.filter(({ logicalId }) => logicalId.startsWith('AppAlias'))).toEqual([]);
  });

  test('that fails with a reason longer than 4 KB still tells its beginning and what to do', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    const talkative = { ...first, '0002_long.ts': TALKATIVE };
    const result = await stage.deploy('r2', talkative);
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    const reason = reasonIn(result.events);
    expect(reason).toMatch(/0002_long/);
    expect(reason).toMatch(/語 … /);
    expect(reason).toMatch(/deploy again\. Log: \S+ \S+\. \(RequestId/);
    const longest = Math.max(
      ...stage
        .gateLog()
        .split('\n')
        .map((line) => Buffer.byteLength(line)),
    );
    expect(longest).toBeGreaterThan(4_096);
    expect(await applied()).toEqual(['0001_notes']);
  });

  test('whose history has lost an applied file is refused with the ways out, and touches nothing', async () => {
    stage = await openStage(postgres);
    const lost = { ...first, '0002_lost.ts': module('0001_notes', ['create table lost (n int)']) };
    const other = { ...first, '0002_other.ts': module('0001_notes', ['create table other (n int)']) };
    await stage.deploy('r1', lost);
    const result = await stage.deploy('r2', other);
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(reasonIn(result.events)).toContain(
      'Applied, but missing from this release: 0002_lost. The database was not touched. Bring the files back',
    );
    expect(await applied()).toEqual(['0001_notes', '0002_lost']);
    expect(await stage.rows(`select to_regclass('other')::text as other`)).toEqual([{ other: null }]);
  });

  test('leaves the old version of the runner behind; the version of one that is rolled back goes', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    const old = runnerArn();
    const second = { ...first, '0002_two.ts': module('0001_notes', ['create table two (n int)']) };
    await stage.deploy('r2', second);
    const live = runnerArn();
    expect(live).not.toBe(old);
    const third = { ...second, '0003_three.ts': module('0002_two', ['create table three (n int)']) };
    const result = await stage.deploy('r3', third, { AppAliaslive: 'unhealthy' });
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await answers(old)).toBe(true);
    expect(await answers(live)).toBe(true);
    expect(await answers(live.replace(/\d+$/, (version) => String(Number(version) + 1)))).toBe(false);
  });

  test('hands texts that only the deploy knows to the migrations as they are', async () => {
    stage = await openStage(postgres);
    const told = ['a "quote"', 'back\\slash\\', 'line\nbreak', 'x","admin":"y'];
    const migrations = { '0001_told.ts': TOLD };
    const result = await stage.deploy('r1', migrations, {}, { told });
    expect(result.status).toBe('CREATE_COMPLETE');
    const byHand = await stage.invoke({ action: 'plan' });
    expect(byHand.plan?.refusals).toEqual([]);
    const [row] = await stage.rows('select body from notes');
    expect(JSON.parse(String(row?.['body']))).toEqual({ told });
  });
});

/** Writes down what it was told. */
const TOLD = `import { irreversible, migration } from 'forerun';
export default migration({
  after: 'base',
  params: { '~standard': { version: 1, vendor: 'own', validate: (value) => ({ value }) } },
  async up({ op, params }) {
    await op.execute('create table notes (body text)');
    await op.execute('insert into notes values (:body)', { body: JSON.stringify(params) });
  },
  down: irreversible('the test says so'),
});
`;

/** Says more than fits into an answer. */
const TALKATIVE = `import { irreversible, migration } from 'forerun';
export default migration({
  after: '0001_notes',
  up: () => { throw new TypeError('\u8a9e'.repeat(5_000)); },
  down: irreversible('the test says so'),
});
`;

const runnerArn = (): string =>
  String(
    stage.rehearsal.cloudFormation
      .stack(STACK)
      ?.resources.find(({ type }) => type === 'Custom::ForerunMigrations')?.properties['RunnerArn'],
  );

/** Whether a version of the runner is still there to be asked. */
async function answers(arn: string): Promise<boolean> {
  const client = lambdaOf(stage.rehearsal);
  try {
    await client.send(new InvokeCommand({ FunctionName: arn, Payload: '{"action":"status"}' }));
    return true;
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'ResourceNotFoundException') return false;
    throw cause;
  } finally {
    client.destroy();
  }
}
