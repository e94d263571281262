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
  /** Publishes a runner with this handler body (of `async (event, context) => { … }`) and hands the gate an event. */
  ask(body: string, event?: object, options?: AskOptions): Promise<Answered | undefined>;
  close(): Promise<void>;
}

export interface AskOptions {
  /** What CloudFormation says about the stack, one after the other, or `throttled`; a refusal for good when absent. */
  readonly stackStatus?: string | readonly string[];
  /** How long ago the request was made. */
  readonly ageSeconds?: number;
  readonly remainingMs?: number;
  readonly runnerSeconds?: number;
  readonly awsRequestId?: string;
}

export const STACK_ID = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/1';

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
  let functions = 0;
  return {
    faults,
    putStatuses,
    invokes,
    answers,
    described,
    async ask(body, event = {}, options = {}) {
      statuses = [options.stackStatus ?? []].flat();
      described.length = 0;
      functions += 1;
      const { arn } = await lambda.createFunction(`runner-${functions}`, {
        code: { inline: `exports.handler = async (event, context) => { ${body} };` },
        role: 'arn:aws:iam::111122223333:role/runner',
        handler: 'index.handler',
        environment: {},
        memoryMb: 128,
        timeoutSeconds: options.runnerSeconds ?? 30,
      });
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
      const endMs = Date.now() + (options.remainingMs ?? 900_000);
      await handler(
        { ...given, ResourceProperties: { ...ResourceProperties, RunnerArn: arn } },
        {
          awsRequestId: options.awsRequestId ?? randomUUID(),
          invokedFunctionArn: GATE_ARN,
          getRemainingTimeInMillis: () => endMs - Date.now(),
        },
      );
      return answers.at(-1);
    },
    async close() {
      await lambda.close();
      server.close();
    },
  };
}
