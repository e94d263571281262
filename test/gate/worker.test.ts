import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openGateBench, PROPERTIES, type GateBench } from './gate-bench.ts';

let bench: GateBench;
let folder: string;

beforeEach(async () => {
  bench = await openGateBench();
  folder = mkdtempSync(join(tmpdir(), 'forerun-worker-'));
});
afterEach(async () => {
  await bench.close();
  rmSync(folder, { recursive: true, force: true });
});

const answer = (error: string | null): object => ({
  ok: error === null,
  action: 'up',
  log: 'group stream',
  result: {
    runId: 'run-1',
    action: 'up',
    outcome: error === null ? 'applied' : 'rolled-back',
    steps: error === null ? [{ migration: '0002_two', outcome: 'applied' }] : [],
    error:
      error === null
        ? null
        : { code: error, text: { what: 'What happened.', state: 'State.', next: 'Run again.' }, place: {} },
    dataApiCalls: 1,
    repeated: false,
  },
});
const runner = (error: string | null): string => `return ${JSON.stringify(answer(error))};`;
const worker = (error: string | null): string =>
  `return { Status: 'SUCCEEDED', Result: ${JSON.stringify(JSON.stringify(answer(error)))} };`;
/** Works until a file is there. */
const workerUntil = (file: string): string =>
  `const { existsSync, watch } = require('node:fs');
   const { dirname } = require('node:path');
   await new Promise((done) => {
     const look = () => existsSync(${JSON.stringify(file)}) && (watcher.close(), done());
     const watcher = watch(dirname(${JSON.stringify(file)}), look);
     look();
   });
   ${worker(null)}`;

/** The Update of a rollback, after the failed release's properties. */
const swapped = (failed: object) => ({
  RequestType: 'Update',
  PhysicalResourceId: 'forerun-migrations',
  ResourceProperties: { ...PROPERTIES, Head: '0001_one', Digest: 'd1', DeployId: 'r1' },
  OldResourceProperties: failed,
});

const long = { ResourceProperties: { ...PROPERTIES, Timeout: '1800' } };

describe('a deploy that may take longer than a call of the runner', () => {
  test('does without the worker where the runner is done in time', async () => {
    const told = await bench.ask(runner(null), long, { worker: worker(null) });
    expect(told).toMatchObject({ Status: 'SUCCESS', Data: { Applied: '1' } });
    expect(await bench.executions()).toEqual([]);
  });

  test.each(['out-of-time', 'statement-running', 'backfill-working', 'lease-busy', 'outcome-unknown'])(
    'lets the worker go on after %s, under a key of its own, and tells what it came to',
    async (code) => {
      const told = await bench.ask(runner(code), long, { worker: worker(null) });
      expect(told).toMatchObject({ Status: 'SUCCESS', Data: { Applied: '1' } });
      expect(await bench.executions()).toEqual([
        { name: expect.stringMatching(/^Migrations-[0-9a-f]{16}$/), status: 'SUCCEEDED' },
      ]);
      const { InputPayload } = inputOf(bench.invokes.at(-1)?.event);
      const { task, ask } = JSON.parse(InputPayload) as {
        readonly task: string;
        readonly ask: { readonly action: string; readonly deploy: Readonly<Record<string, unknown>> };
      };
      expect({ task, action: ask.action }).toEqual({ task: 'up', action: 'up' });
      const { runKey, deadlineMs, askedAtMs } = ask.deploy;
      expect(String(runKey)).toMatch(/\/worker$/);
      expect(Number(deadlineMs) - Number(askedAtMs)).toBe(1_800_000);
    },
  );

  test('lets a failure of the migrations be a failure: more time would not mend it', async () => {
    const told = await bench.ask(runner('migration-failed'), long, { worker: worker(null) });
    expect(told).toMatchObject({ Status: 'FAILED' });
    expect(await bench.executions()).toEqual([]);
  });

  test('tells what the worker could not do, and that it died', async () => {
    const failing = await bench.ask(runner('out-of-time'), long, { worker: worker('migration-failed') });
    expect(failing).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('What happened.') });
  });

  test('says that the worker ended without an answer', async () => {
    const told = await bench.ask(runner('out-of-time'), long, {
      worker: `return { Status: 'FAILED', Error: { ErrorType: 'Error', ErrorMessage: 'it broke' } };`,
    });
    expect(told).toMatchObject({ Status: 'FAILED' });
    expect(told?.Reason).toMatch(/^The worker ended as FAILED: it broke\. .*the journal knows/);
  });

  test('hands on to its next part before its own end, which answers once; the ResponseURL is in no log and no execution', async () => {
    const file = join(folder, 'done');
    const options = { worker: workerUntil(file), awsRequestId: 'first-part' };
    // The hand-over comes 45 seconds before the end of the gate's invocation.
    expect(await bench.ask(runner('out-of-time'), long, { ...options, remainingMs: 47_000 })).toBeUndefined();
    const handed = bench.invokes.at(-1)?.event;
    expect(handed).toMatchObject({ forerun: 'handed-on', hop: 2, requestId: 'first-part' });
    const next = bench.deliver(handed);
    writeFileSync(file, '');
    expect(await next).toMatchObject({ Status: 'SUCCESS', Data: { Applied: '1' } });
    expect(bench.answers).toHaveLength(1);
    const started = bench.invokes.filter(({ event }) => 'DurableExecutionArn' in event);
    expect(JSON.stringify(started)).not.toContain('X-Amz-Date');
  });

  test('stops the worker of the failed release in a rollback', async () => {
    const stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';
    const body = `return event.action === 'settle'
      ? { ok: true, action: 'settle', log: 'l', verdict: { fenced: true, ahead: [], pending: [], compatible: 'yes', dataApiCalls: 5 } }
      : ${JSON.stringify(answer('out-of-time'))};`;
    const options = { worker: workerUntil(join(folder, 'never')), remainingMs: 47_000, stackStatus };
    await bench.ask(body, long, options);
    expect(await bench.executions()).toMatchObject([{ status: 'RUNNING' }]);
    const request = bench.invokes.at(-1)?.event['request'] as {
      readonly ResourceProperties: { readonly RunnerArn: string };
    };
    const failed = request.ResourceProperties;
    const rollback = {
      ...request,
      ...swapped(failed),
      ResourceProperties: { ...swapped(failed).ResourceProperties, RunnerArn: failed.RunnerArn },
    };
    const told = await bench.deliver(rollback);
    expect(told).toMatchObject({
      Status: 'SUCCESS',
      Reason: expect.stringContaining('Its worker was stopped'),
    });
    expect(await bench.executions()).toMatchObject([{ status: 'STOPPED' }]);
  });

  test('stops the worker that goes with its stack, whose deletion would wait for it', async () => {
    const options = { worker: workerUntil(join(folder, 'never')), remainingMs: 47_000 };
    await bench.ask(runner('out-of-time'), long, options);
    const request = bench.invokes.at(-1)?.event['request'] as object;
    const told = await bench.deliver({
      ...request,
      RequestType: 'Delete',
      PhysicalResourceId: 'forerun-migrations',
    });
    expect(told).toMatchObject({
      Status: 'SUCCESS',
      Reason: expect.stringContaining('Its worker was stopped'),
    });
    expect(await bench.executions()).toMatchObject([{ status: 'STOPPED' }]);
  });
});

/** The input of an execution, as its first operation. */
function inputOf(event: Readonly<Record<string, unknown>> | undefined): { readonly InputPayload: string } {
  const { InitialExecutionState } = event as {
    readonly InitialExecutionState: {
      readonly Operations: readonly { readonly ExecutionDetails: { readonly InputPayload: string } }[];
    };
  };
  const [first] = InitialExecutionState.Operations;
  return first?.ExecutionDetails ?? { InputPayload: '{}' };
}
