import { LambdaClient, ListDurableExecutionsByFunctionCommand } from '@aws-sdk/client-lambda';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { MigrationsProperties } from '../../lambda/contract.ts';
import { handler } from '../../lambda/gate.ts';
import { startLambda, type InvokeStart, type LambdaOptions } from '../../local/lambda/start-lambda.ts';

/** What CloudFormation got. */
export interface Answered {
  readonly Status: string;
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly Data: Readonly<Record<string, string>>;
  readonly bytes: number;
}

/** The gate itself, in this process; a Lambda with a runner whose code is the test's; and a place for answers. */
export interface GateBench {
  /** What Lambda does with the next invokes of the runner, one after the other. */
  readonly faults: Exclude<Awaited<ReturnType<NonNullable<LambdaOptions['onInvoke']>>>, void>[];
  /** What the place for answers says to the next PUTs; 200 afterwards. */
  readonly putStatuses: number[];
  /** Every invoke of the runner, with its parsed event. */
  readonly invokes: { readonly event: Record<string, unknown> }[];
  readonly answers: Answered[];
  /** Every time CloudFormation was asked for the stack. */
  readonly described: string[];
  /** Where answers go; a request that does not name the moment of its asking never gets too old. */
  readonly answersUrl: string;
  /** Publishes a runner with this handler body (of `async (event, context) => { … }`) and hands the gate an event. */
  ask(body: string, event?: object, options?: AskOptions): Promise<Answered | undefined>;
  /** Hands the gate an event as it is, for example one that it has handed on to itself. */
  deliver(
    event: unknown,
    options?: Pick<AskOptions, 'remainingMs' | 'stackStatus'>,
  ): Promise<Answered | undefined>;
  /** Executions of the worker, newest last: their names and how they stand. */
  executions(): Promise<readonly { readonly name: string; readonly status: string }[]>;
  close(): Promise<void>;
}

export interface AskOptions {
  /** What CloudFormation says about the stack, one after the other, or `throttled`; a refusal for good when absent. */
  readonly stackStatus?: string | readonly string[];
  /** How long ago the request was made. */
  readonly ageSeconds?: number;
  readonly remainingMs?: number;
  readonly runnerSeconds?: number;
  /** Handler body of the worker, in the raw protocol of durable functions: it returns `{ Status, Result }`. */
  readonly worker?: string;
  readonly awsRequestId?: string;
}

export const STACK_ID = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/1';

const WORKER = 'worker';

/** What all functions of the bench have in common. */
const PLACE = {
  role: 'arn:aws:iam::111122223333:role/runner',
  handler: 'index.handler',
  environment: {},
  memoryMb: 128,
  timeoutSeconds: 30,
} as const;

const GATE_ARN = 'arn:aws:lambda:eu-west-1:111122223333:function:gate';

export const PROPERTIES: MigrationsProperties = {
  ContractVersion: '1',
  RunnerArn: 'set by the bench',
  Head: '0002_two',
  Digest: 'd2',
  DeployId: 'r2',
  ClusterArn: 'arn:aws:rds:eu-west-1:111122223333:cluster:shop',
  SecretArn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-AbCdEf',
  Database: 'app',
  History: 'default',
  Atomic: 'group',
  OnRollback: 'keep',
};

export async function openGateBench(): Promise<GateBench> {
  const faults: GateBench['faults'] = [];
  const putStatuses: number[] = [];
  const invokes: GateBench['invokes'] = [];
  const answers: Answered[] = [];
  const described: string[] = [];
  let statuses: readonly string[] = [];
  const onInvoke = ({ event }: InvokeStart) => {
    invokes.push({ event: JSON.parse(event) as Record<string, unknown> });
    return faults.shift();
  };
  const lambda = await startLambda({ onInvoke });
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.method === 'PUT') {
        const status = putStatuses.shift() ?? 200;
        if (status === 200)
          answers.push({ ...(JSON.parse(body) as Answered), bytes: Buffer.byteLength(body) });
        return response.writeHead(status).end();
      }
      described.push(body);
      const stackStatus = statuses[Math.min(described.length, statuses.length) - 1];
      if (stackStatus === 'throttled') return response.writeHead(400).end('<Code>Throttling</Code>');
      return stackStatus === undefined
        ? response.writeHead(403).end('<Code>AccessDenied</Code>')
        : response.writeHead(200).end(`<StackStatus>${stackStatus}</StackStatus>`);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_LAMBDA: lambda.url,
    AWS_ENDPOINT_URL_CLOUDFORMATION: origin,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'GATE',
    AWS_SECRET_ACCESS_KEY: 'gate',
  });
  const client = new LambdaClient({ endpoint: lambda.url, region: 'eu-west-1' });
  await lambda.createFunction('gate', {
    code: { inline: 'exports.handler = async () => {};' },
    ...PLACE,
  });
  let functions = 0;
  const deliver = async (
    event: unknown,
    { remainingMs = 900_000, awsRequestId = randomUUID() }: AskOptions,
  ) => {
    const endMs = Date.now() + remainingMs;
    await handler(event, {
      awsRequestId,
      invokedFunctionArn: GATE_ARN,
      getRemainingTimeInMillis: () => endMs - Date.now(),
    });
    return answers.at(-1);
  };
  const publishWorker = async (body: string | undefined): Promise<{ readonly WorkerArn?: string }> => {
    if (body === undefined) return {};
    await lambda.createFunction(WORKER, {
      code: { inline: `exports.handler = async (event, context) => { ${body} };` },
      ...PLACE,
      durable: { executionTimeoutSeconds: 3_600, retentionDays: 1 },
    });
    return { WorkerArn: (await lambda.publishVersion(WORKER)).arn };
  };
  return {
    faults,
    putStatuses,
    invokes,
    answers,
    described,
    answersUrl: `${origin}/answer`,
    async ask(body, event = {}, options = {}) {
      statuses = [options.stackStatus ?? []].flat();
      described.length = 0;
      functions += 1;
      const { arn } = await lambda.createFunction(`runner-${functions}`, {
        code: { inline: `exports.handler = async (event, context) => { ${body} };` },
        ...PLACE,
        timeoutSeconds: options.runnerSeconds ?? 30,
      });
      const worker = await publishWorker(options.worker);
      const asked = new Date(Date.now() - (options.ageSeconds ?? 0) * 1000);
      const stamp = asked.toISOString().replaceAll(/[-:]|\.\d+/g, '');
      const given = {
        RequestType: 'Create',
        RequestId: 'request-1',
        StackId: STACK_ID,
        LogicalResourceId: 'Migrations',
        ResourceType: 'Custom::ForerunMigrations',
        ResponseURL: `${origin}/answer?X-Amz-Date=${stamp}`,
        ...event,
      };
      const { ResourceProperties = PROPERTIES } = given as { ResourceProperties?: MigrationsProperties };
      const properties = { ...ResourceProperties, ...worker, RunnerArn: arn };
      return deliver({ ...given, ResourceProperties: properties }, options);
    },
    deliver(event, options = {}) {
      if (options.stackStatus !== undefined) statuses = [options.stackStatus].flat();
      return deliver(event, options);
    },
    async executions() {
      const { DurableExecutions = [] } = await client.send(
        new ListDurableExecutionsByFunctionCommand({ FunctionName: WORKER }),
      );
      return DurableExecutions.map(({ DurableExecutionName: name = '', Status: status = '' }) => ({
        name,
        status,
      }));
    },
    async close() {
      client.destroy();
      await lambda.close();
      server.close();
    },
  };
}
