import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  startCloudFormation,
  type CloudFormationOptions,
  type LocalCloudFormation,
} from '../../../local/cloudformation/start-cloudformation.ts';
import { startLambda, type LambdaOptions, type LocalLambda } from '../../../local/lambda/start-lambda.ts';
import type { StackEvent } from '../../../local/cloudformation/status.ts';

/** Resources of a hand-made template. */
export type Resources = Readonly<Record<string, object>>;

/** Lambda and CloudFormation, with a place for hand-made cloud assemblies. */
export interface Workbench {
  readonly lambda: LocalLambda;
  readonly cloudFormation: LocalCloudFormation;
  /** Writes an assembly with one stack, `Shop`, and deploys it. */
  deploy(
    resources: Resources,
    options?: { readonly fail?: Record<string, string>; readonly more?: object },
  ): ReturnType<LocalCloudFormation['deploy']>;
  /** Writes an assembly with several stacks, each depending on those before it. */
  assembly(templates: Readonly<Record<string, object>>): Promise<string>;
  /** Every custom resource event that the answering function got, in order. */
  asked(): readonly Asked[];
  close(): Promise<void>;
}

interface Asked {
  readonly RequestType: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
  readonly OldResourceProperties?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

export async function openWorkbench(
  options: Omit<CloudFormationOptions, 'lambda'> & { readonly lambdaOptions?: LambdaOptions } = {},
): Promise<Workbench> {
  const { lambdaOptions, ...cloudFormationOptions } = options;
  const root = await mkdtemp(join(tmpdir(), 'forerun-test-'));
  const lambda = await startLambda(lambdaOptions);
  const cloudFormation = await startCloudFormation({ lambda, ...cloudFormationOptions });
  const assembly: Workbench['assembly'] = async (templates) => {
    const directory = await mkdtemp(join(root, 'assembly-'));
    const artifacts: Record<string, object> = {};
    for (const [name, template] of Object.entries(templates)) {
      const file = `${name}.template.json`;
      await writeFile(join(directory, file), JSON.stringify(template));
      artifacts[name] = {
        type: 'aws:cloudformation:stack',
        properties: { templateFile: file },
        dependencies: Object.keys(artifacts),
      };
    }
    await writeFile(join(directory, 'manifest.json'), JSON.stringify({ version: '1', artifacts }));
    return directory;
  };
  return {
    lambda,
    cloudFormation,
    assembly,
    async deploy(resources, { fail = {}, more = {} } = {}) {
      return await cloudFormation.deploy(
        await assembly({ Shop: { Resources: resources, ...more } }),
        'Shop',
        {
          fail,
        },
      );
    },
    asked: () =>
      lambda
        .logs('answering')
        .filter(({ line }) => line.startsWith('{"RequestType"'))
        .map(({ line }) => JSON.parse(line) as Asked),
    async close() {
      await lambda.close();
      await cloudFormation.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/**
 * A function that answers custom resource events. Properties of the resource tell it how: `Answer` overrides fields,
 * `Fail` and the rest name the request type on which it fails, crashes or stays silent.
 */
export const ANSWERING = {
  Type: 'AWS::Lambda::Function',
  Properties: {
    FunctionName: 'answering',
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Role: 'arn:aws:iam::111122223333:role/answering',
    Timeout: 20,
    Code: {
      ZipFile: `
const { existsSync, writeFileSync } = require('node:fs');
const marker = __dirname + '/crashed';
exports.handler = async (event) => {
  const { ResponseURL, ...rest } = event;
  console.log(JSON.stringify(rest));
  const { ResourceProperties: properties } = event;
  if (properties.Crash === event.RequestType) process.exit(7);
  if (properties.CrashOnce && !existsSync(marker)) {
    writeFileSync(marker, '');
    process.exit(7);
  }
  if (properties.Silent === event.RequestType) return;
  const answer = {
    Status: properties.Fail === event.RequestType ? 'FAILED' : 'SUCCESS',
    Reason: 'as told',
    PhysicalResourceId: event.PhysicalResourceId ?? 'thing-1',
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    Data: { Echo: properties.Value ?? 'none' },
    ...((properties.AnswerOn ?? event.RequestType) === event.RequestType ? JSON.parse(properties.Answer ?? '{}') : {}),
  };
  if (properties.FillTo && event.RequestType === 'Create') {
    answer.Reason += '.'.repeat(Number(properties.FillTo) - Buffer.byteLength(JSON.stringify(answer)));
  }
  const put = () => fetch(ResponseURL, { method: 'PUT', body: JSON.stringify(answer) });
  if (properties.AnswerTwice) {
    await put();
    answer.Status = 'FAILED';
    console.log('second answer: ' + (await put()).status);
    return;
  }
  await put();
};`,
    },
  },
} as const;

/** A custom resource answered by `ANSWERING`, which must have the logical id `Answering`. */
export function custom(properties: object = {}, more: object = {}): object {
  return {
    Type: 'Custom::Thing',
    Properties: { ServiceToken: { 'Fn::GetAtt': ['Answering', 'Arn'] }, ...properties },
    ...more,
  };
}

/** An opaque resource, which can fail only by a fault. */
export function opaque(properties: object = {}, more: object = {}): object {
  return { Type: 'AWS::SQS::Queue', Properties: properties, ...more };
}

/** `logical id status` a line, without the stack's own name for its events. */
export function timeline(events: readonly StackEvent[]): readonly string[] {
  return events.map(({ logicalId, resourceType, status }) =>
    resourceType === 'AWS::CloudFormation::Stack' ? status : `${logicalId} ${status}`,
  );
}
