import { statSync } from 'node:fs';

import type { DurableSettings, FunctionCode, FunctionSettings } from '../../lambda/function-settings.ts';
import { LambdaServiceError } from '../../lambda/service-error.ts';
import type { LocalLambda } from '../../lambda/start-lambda.ts';
import { numberAt, recordAt, scalarText, textAt } from '../plain-values.ts';
import { ResourceFailure } from '../resource-failure.ts';
import type { ResourceHandler, ResourceRequest } from '../resource-handler.ts';
import { nameOf } from './opaque.ts';

/** The resource types of AWS Lambda that a deploy of functions needs. */
export function lambdaHandlers(
  lambda: LocalLambda,
  passOver?: PassOver,
): Readonly<Record<string, ResourceHandler>> {
  return {
    'AWS::Lambda::Function': functionHandler(lambda, passOver),
    'AWS::Lambda::Version': versionHandler(lambda),
    'AWS::Lambda::Alias': aliasHandler(lambda),
    'AWS::Lambda::EventInvokeConfig': eventInvokeHandler(lambda),
  };
}

type PassOver = (what: string) => void;

function functionHandler(lambda: LocalLambda, passOver?: PassOver): ResourceHandler {
  return {
    replacedBy: ['FunctionName'],
    // A function is made durable or not when it is made.
    replacedByPresenceOf: ['DurableConfig'],
    nameProperty: 'FunctionName',
    async create(request) {
      // 64 characters are the limit of a function's name.
      const name = textAt(request.properties, 'FunctionName') ?? request.inventedName.slice(-64);
      const { arn } = await told(lambda.createFunction(name, settingsOf(request, passOver)));
      return { physicalId: name, attributes: { Arn: arn } };
    },
    async update(request) {
      await told(lambda.updateFunction(request.physicalId, settingsOf(request, passOver)));
      return request;
    },
    async delete({ physicalId }) {
      await told(lambda.deleteFunction(physicalId));
    },
  };
}

function versionHandler(lambda: LocalLambda): ResourceHandler {
  return {
    replacedBy: 'any property',
    async create({ properties }) {
      const { arn, version, fresh } = await told(lambda.publishVersion(functionOf(properties)));
      if (!fresh) {
        throw new ResourceFailure(
          `A version for this Lambda function exists ( ${version} ). Modify the function to create a new version.`,
        );
      }
      return { physicalId: arn, attributes: { Version: version, FunctionArn: arn } };
    },
    update: unchanged,
    async delete({ physicalId }) {
      await told(lambda.deleteFunction(physicalId));
    },
  };
}

function aliasHandler(lambda: LocalLambda): ResourceHandler {
  const point = (properties: Readonly<Record<string, unknown>>): { readonly arn: string } =>
    lambda.updateAlias(
      functionOf(properties),
      textAt(properties, 'Name') ?? '',
      scalarText(properties['FunctionVersion']) ?? '$LATEST',
    );
  return {
    replacedBy: ['FunctionName', 'Name'],
    async create({ properties }) {
      const { arn } = await told(async () => point(properties));
      return { physicalId: arn, attributes: { AliasArn: arn } };
    },
    async update(request) {
      await told(async () => point(request.properties));
      return request;
    },
    async delete({ properties }) {
      await told(async () => {
        lambda.deleteAlias(functionOf(properties), textAt(properties, 'Name') ?? '');
      });
    },
  };
}

function eventInvokeHandler(lambda: LocalLambda): ResourceHandler {
  const set = async (properties: Readonly<Record<string, unknown>>): Promise<void> => {
    const retries = numberAt(properties, 'MaximumRetryAttempts');
    const age = numberAt(properties, 'MaximumEventAgeInSeconds');
    const onFailure = textAt(recordAt(recordAt(properties, 'DestinationConfig'), 'OnFailure'), 'Destination');
    await told(async () => {
      lambda.setEventInvoke(functionOf(properties), textAt(properties, 'Qualifier') ?? '$LATEST', {
        ...(retries === undefined ? {} : { maximumRetryAttempts: retries }),
        ...(age === undefined ? {} : { maximumEventAgeSeconds: age }),
        ...(onFailure === undefined ? {} : { onFailure }),
      });
    });
  };
  return {
    replacedBy: ['FunctionName', 'Qualifier'],
    async create(request) {
      await set(request.properties);
      return { physicalId: request.inventedName, attributes: {} };
    },
    async update(request) {
      await set(request.properties);
      return request;
    },
    async delete({ properties }) {
      const qualifier = textAt(properties, 'Qualifier') ?? '$LATEST';
      await told(async () => {
        lambda.setEventInvoke(functionOf(properties), qualifier, undefined);
      });
    },
  };
}

function settingsOf(request: ResourceRequest, passOver?: PassOver): FunctionSettings {
  const { properties } = request;
  const memoryMb = numberAt(properties, 'MemorySize');
  const timeoutSeconds = numberAt(properties, 'Timeout');
  const runtime = textAt(properties, 'Runtime');
  const logGroup = textAt(recordAt(properties, 'LoggingConfig'), 'LogGroup');
  const variables = recordAt(recordAt(properties, 'Environment'), 'Variables');
  return {
    code: codeOf(request, passOver),
    role: textAt(properties, 'Role') ?? '',
    handler: textAt(properties, 'Handler') ?? '',
    environment: Object.fromEntries(
      Object.entries(variables).map(([key, value]) => [key, scalarText(value) ?? '']),
    ),
    ...(runtime === undefined ? {} : { runtime }),
    ...(memoryMb === undefined ? {} : { memoryMb }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(logGroup === undefined ? {} : { logGroup }),
    ...('DurableConfig' in properties ? { durable: durableOf(properties['DurableConfig']) } : {}),
  };
}

const MAX_EXECUTION_SECONDS = 31_622_400;

function durableOf(config: unknown): DurableSettings {
  const executionTimeoutSeconds = numberAt(config, 'ExecutionTimeout') ?? 0;
  const retentionDays = numberAt(config, 'RetentionPeriodInDays') ?? 14;
  if (executionTimeoutSeconds < 1 || executionTimeoutSeconds > MAX_EXECUTION_SECONDS) {
    throw new ResourceFailure(
      `DurableConfig.ExecutionTimeout must be 1 to ${MAX_EXECUTION_SECONDS} seconds, not ${executionTimeoutSeconds}.`,
    );
  }
  return { executionTimeoutSeconds, retentionDays };
}

function codeOf(request: ResourceRequest, passOver?: PassOver): FunctionCode {
  const code = recordAt(request.properties, 'Code');
  const runtime = textAt(request.properties, 'Runtime') ?? 'an image';
  const key = textAt(code, 'S3Key') ?? '';
  const isFolder = statSync(request.assets.get(key) ?? '', { throwIfNoEntry: false })?.isDirectory() === true;
  if (passOver !== undefined && !(runtime.startsWith('nodejs') && (isFolder || 'ZipFile' in code))) {
    passOver(
      `The code of ${request.logicalId} (${runtime}) in ${request.stack.name} is not run here: only a folder of Node.js is.`,
    );
    return { inline: standIn(code) };
  }
  const inline = textAt(code, 'ZipFile');
  if (inline !== undefined) {
    return { inline };
  }
  const directory = request.assets.get(key);
  if (directory === undefined) {
    throw new ResourceFailure(
      `Error occurred while GetObject. S3 Error Code: NoSuchKey. The asset ${key} of ${nameOf(request)} is not in the cloud assembly.`,
    );
  }
  if (!statSync(directory).isDirectory()) {
    throw new ResourceFailure(
      `The asset ${key} is a file: only code that the CDK zips itself is played here.`,
    );
  }
  return { directory };
}

/** Differs where the code differs, so that new code makes a new version. */
function standIn(code: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(`This code is not run in a rehearsal: ${JSON.stringify(code)}`);
  return `exports.handler = () => Promise.reject(${text});`;
}

/** The function that a version, an alias or a configuration belongs to: named or by ARN. */
function functionOf(properties: Readonly<Record<string, unknown>>): string {
  return textAt(properties, 'FunctionName') ?? '';
}

async function unchanged<T>(request: T): Promise<T> {
  return await Promise.resolve(request);
}

/** Lets a refusal of the service fail the resource. */
async function told<T>(call: Promise<T> | (() => Promise<T>)): Promise<T> {
  try {
    return await (typeof call === 'function' ? call() : call);
  } catch (error) {
    if (error instanceof LambdaServiceError) {
      throw new ResourceFailure(
        `Resource handler returned message: "${error.message} (Service: Lambda, Status Code: ${error.status})"`,
      );
    }
    throw error;
  }
}
