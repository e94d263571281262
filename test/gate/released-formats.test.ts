import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GateAsk, MigrationsProperties, RunnerAnswer, UndoProperties } from '../../lambda/contract.ts';
import { readRunnerEvent } from '../../lambda/runner-event.ts';
import { openGateBench, type GateBench } from './gate-bench.ts';

/** The formats of each release, as it wrote them. A file here is never edited once its release is out. */
const RELEASES = ['0.1.0'] as const;

const fixture = (release: string, name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/${release}/${name}.json`, import.meta.url), 'utf8'));

let bench: GateBench;

beforeAll(async () => {
  bench = await openGateBench();
});
afterAll(async () => {
  await bench.close();
});

test.each(RELEASES)(
  'the gate reads the properties of %s and asks the runner for what they say',
  async (release) => {
    const all = fixture(release, 'properties') as Record<string, MigrationsProperties>;
    const { applied } = fixture(release, 'answers') as Record<string, RunnerAnswer>;
    for (const properties of Object.values(all)) {
      bench.invokes.length = 0;
      const answer = await bench.ask(`return ${JSON.stringify(applied)};`, {
        ResourceProperties: properties,
      });
      expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { Head: properties.Head, Applied: '2' } });
      expect(bench.invokes[0]?.event).toMatchObject({
        action: 'up',
        atomic: properties.Atomic,
        target: {
          clusterArn: properties.ClusterArn,
          secretArn: properties.SecretArn,
          database: properties.Database,
          history: properties.History,
        },
        ...(properties.Environment === undefined ? {} : { environment: properties.Environment }),
        ...(properties.Params === undefined ? {} : { params: JSON.parse(properties.Params) as unknown }),
      });
    }
  },
);

test.each(RELEASES)('the gate reads the undo properties of %s', async (release) => {
  const properties = fixture(release, 'undo-properties') as UndoProperties;
  bench.invokes.length = 0;
  await bench.ask(
    'return {};',
    {
      RequestType: 'Delete',
      ResourceType: 'Custom::ForerunUndo',
      PhysicalResourceId: 'forerun-undo-1764000000000',
      ResourceProperties: properties,
    },
    { stackStatus: 'ROLLBACK_IN_PROGRESS' },
  );
  expect(bench.invokes[0]?.event).toMatchObject({ action: 'revert', sinceMs: 1764000000000 });
});

test.each(RELEASES)('the gate understands the answers of a runner of %s', async (release) => {
  const answers = fixture(release, 'answers') as Record<string, RunnerAnswer>;
  const properties = (fixture(release, 'properties') as Record<string, MigrationsProperties>)['plain'];
  const ask = (name: string, more: object = {}, stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS') =>
    bench.ask(
      `return event.action === 'settle' ? ${JSON.stringify(answers['settled'])} : ${JSON.stringify(answers[name])};`,
      { ResourceProperties: properties, ...more },
      { stackStatus },
    );
  const failed = await ask('failed');
  expect(failed).toMatchObject({ Status: 'FAILED' });
  expect(failed?.Reason).toContain(
    'Mend 0002_two and deploy again. Statement: selectt 1. Log: group stream.',
  );
  expect(await ask('refused')).toMatchObject({ Status: 'FAILED' });
  const rolledBack = await ask('refused', { RequestType: 'Update', OldResourceProperties: properties });
  expect(rolledBack).toMatchObject({ Status: 'SUCCESS', Data: { Ahead: '0002_two', Compatible: 'yes' } });
});

test.each(RELEASES)('the runner understands what a gate of %s asks', (release) => {
  for (const ask of fixture(release, 'asks') as GateAsk[]) {
    expect(readRunnerEvent(ask)).toMatchObject({ action: ask.action, deploy: ask.deploy });
  }
});

test.each(RELEASES)('the gate asks for nothing that a runner of %s would not know', async (release) => {
  const known = new Map((fixture(release, 'asks') as GateAsk[]).map((ask) => [ask.action, membersOf(ask)]));
  const all = fixture(release, 'properties') as Record<string, MigrationsProperties>;
  const { settled } = fixture(release, 'answers') as Record<string, RunnerAnswer>;
  bench.invokes.length = 0;
  for (const properties of Object.values(all)) {
    await bench.ask(
      `return ${JSON.stringify(settled)};`,
      { RequestType: 'Update', ResourceProperties: properties, OldResourceProperties: properties },
      { stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' },
    );
  }
  expect(bench.invokes.length).toBeGreaterThan(1);
  for (const { event } of bench.invokes) {
    expect(known.get(event['action'] as GateAsk['action'])).toEqual(expect.arrayContaining(membersOf(event)));
  }
});

/** The names of all members, those of members with a dot. Parameters are the user's own. */
function membersOf(value: object): string[] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) && name !== 'params'
      ? membersOf(member).map((inner) => `${name}.${inner}`)
      : [name],
  );
}
