import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LambdaClient } from '@aws-sdk/client-lambda';

import type { FunctionSettings } from '../../../local/lambda/function-settings.ts';
import { startLambda, type LambdaOptions, type LocalLambda } from '../../../local/lambda/start-lambda.ts';

export const ROLE = 'arn:aws:iam::111122223333:role/app';

/** Lambda with a place for code and a real client. */
export interface Workbench {
  readonly lambda: LocalLambda;
  readonly client: LambdaClient;
  /** Writes code files into a new directory. */
  write(files: Readonly<Record<string, string>>): Promise<string>;
  /** Makes a function from one ESM source text. */
  deploy(name: string, source: string, settings?: Partial<FunctionSettings>): Promise<string>;
  /** Settings of a function from one ESM source text. */
  settings(source: string, settings?: Partial<FunctionSettings>): Promise<FunctionSettings>;
  close(): Promise<void>;
}

export async function openWorkbench(options: LambdaOptions = {}): Promise<Workbench> {
  const root = await mkdtemp(join(tmpdir(), 'forerun-test-'));
  const lambda = await startLambda(options);
  const client = new LambdaClient({
    endpoint: lambda.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'AKIAPERSON', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  const write: Workbench['write'] = async (files) => {
    const directory = await mkdtemp(join(root, 'code-'));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(directory, name, '..'), { recursive: true });
      await writeFile(join(directory, name), text);
    }
    return directory;
  };
  const settingsOf: Workbench['settings'] = async (source, settings = {}) => ({
    code: { directory: await write({ 'index.mjs': source }) },
    role: ROLE,
    handler: 'index.handler',
    ...settings,
  });
  return {
    lambda,
    client,
    write,
    settings: settingsOf,
    async deploy(name, source, settings) {
      return (await lambda.createFunction(name, await settingsOf(source, settings))).arn;
    },
    async close() {
      client.destroy();
      await lambda.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The payload of a result, read. */
export function payloadOf({ payload }: { readonly payload: string }): unknown {
  return JSON.parse(payload);
}
