import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import * as v from 'valibot';

import { LocalError } from '../errors.ts';
import { parseTemplate, type Template } from './template.ts';

const manifestSchema = v.object({
  artifacts: v.optional(
    v.record(
      v.string(),
      v.object({
        type: v.string(),
        dependencies: v.optional(v.array(v.string()), []),
        displayName: v.optional(v.string()),
        environment: v.optional(v.string()),
        properties: v.optional(
          v.object({
            templateFile: v.optional(v.string()),
            stackName: v.optional(v.string()),
            file: v.optional(v.string()),
            directoryName: v.optional(v.string()),
          }),
          {},
        ),
      }),
    ),
    {},
  ),
});

const assetsSchema = v.object({
  files: v.optional(
    v.record(
      v.string(),
      v.object({
        source: v.object({ path: v.optional(v.string()), packaging: v.optional(v.string()) }),
        destinations: v.record(v.string(), v.object({ objectKey: v.string() })),
      }),
    ),
    {},
  ),
});

/** A stack as `cdk synth` left it behind. */
export interface AssemblyStack {
  readonly name: string;
  /** The id inside the assembly; `cdk deploy` takes either. */
  readonly artifactId: string;
  readonly template: Template;
  /** From the object key in the asset bucket to the file or directory on this machine. */
  readonly assets: ReadonlyMap<string, string>;
  /** Stacks that must be deployed before, in their order of deployment. */
  readonly dependencies: readonly AssemblyStack[];
}

/** A stack that an assembly holds, with what a reader of the list wants to know. */
export interface ListedStack {
  readonly name: string;
  readonly artifactId: string;
  /** As the CDK names it: by the path of its construct. */
  readonly displayName: string;
  /** Undefined where the app leaves it to the deploy. */
  readonly account: string | undefined;
  readonly region: string | undefined;
  /** Its own template and those of the stacks nested in it. */
  readonly templates: readonly Template[];
}

/** Every stack of an assembly and its stages, in the order of the manifest. */
export async function listStacks(directory: string): Promise<readonly ListedStack[]> {
  const { artifacts } = v.parse(manifestSchema, await readJson(join(directory, 'manifest.json')));
  const listed: ListedStack[] = [];
  for (const [artifactId, { type, properties, displayName, environment = '' }] of Object.entries(artifacts)) {
    if (type === 'cdk:cloud-assembly' && properties.directoryName !== undefined) {
      listed.push(...(await listStacks(join(directory, properties.directoryName))));
    }
    if (type !== 'aws:cloudformation:stack') continue;
    const { name, template, assets } = await readStack(directory, artifacts, artifactId);
    const [, account, region] = /^aws:\/\/([^/]+)\/(.+)$/.exec(environment) ?? [];
    listed.push({
      name,
      artifactId,
      displayName: displayName ?? artifactId,
      account: account?.startsWith('unknown') === true ? undefined : account,
      region: region?.startsWith('unknown') === true ? undefined : region,
      templates: [template, ...(await nestedTemplates(template, assets))],
    });
  }
  return listed;
}

async function nestedTemplates(
  { Resources }: Template,
  assets: ReadonlyMap<string, string>,
): Promise<readonly Template[]> {
  const found: Template[] = [];
  for (const { Type, Properties } of Object.values(Resources)) {
    const url = JSON.stringify(Properties['TemplateURL'] ?? '');
    const file = [...assets].find(([key]) => url.includes(key))?.[1];
    if (Type !== 'AWS::CloudFormation::Stack' || file === undefined) continue;
    const template = await readTemplateFile(file);
    found.push(template, ...(await nestedTemplates(template, assets)));
  }
  return found;
}

/** Reads one stack out of a cloud assembly, with those it depends on; stages are searched too. */
export async function readAssembly(directory: string, stackName: string): Promise<AssemblyStack> {
  const stack = await findStack(directory, stackName);
  if (stack === undefined) {
    throw new LocalError('deploy-impossible', `The cloud assembly ${directory} has no stack ${stackName}.`);
  }
  return stack;
}

/** Reads a template that lies beside the others, such as that of a nested stack. */
export async function readTemplateFile(file: string): Promise<Template> {
  return parseTemplate(await readJson(file));
}

async function findStack(directory: string, stackName: string): Promise<AssemblyStack | undefined> {
  const { artifacts } = v.parse(manifestSchema, await readJson(join(directory, 'manifest.json')));
  for (const [id, { type, properties }] of Object.entries(artifacts)) {
    if (type === 'aws:cloudformation:stack' && [id, properties.stackName].includes(stackName)) {
      return await readStack(directory, artifacts, id);
    }
    if (type === 'cdk:cloud-assembly' && properties.directoryName !== undefined) {
      const found = await findStack(join(directory, properties.directoryName), stackName);
      if (found !== undefined) {
        return found;
      }
    }
  }
  return undefined;
}

async function readStack(
  directory: string,
  artifacts: v.InferOutput<typeof manifestSchema>['artifacts'],
  artifactId: string,
): Promise<AssemblyStack> {
  const artifact = artifacts[artifactId];
  const file = artifact?.properties.templateFile ?? `${artifactId}.template.json`;
  const assets = new Map<string, string>();
  const dependencies: AssemblyStack[] = [];
  for (const id of artifact?.dependencies ?? []) {
    const other = artifacts[id];
    if (other?.type === 'aws:cloudformation:stack') {
      dependencies.push(await readStack(directory, artifacts, id));
    }
    if (other?.type === 'cdk:asset-manifest' && other.properties.file !== undefined) {
      await addAssets(assets, directory, other.properties.file);
    }
  }
  return {
    name: artifact?.properties.stackName ?? artifactId,
    artifactId,
    template: await readTemplateFile(join(directory, file)),
    assets,
    dependencies,
  };
}

async function addAssets(assets: Map<string, string>, directory: string, file: string): Promise<void> {
  const { files } = v.parse(assetsSchema, await readJson(join(directory, file)));
  for (const { source, destinations } of Object.values(files)) {
    for (const { objectKey } of Object.values(destinations)) {
      if (source.path !== undefined) {
        assets.set(objectKey, join(directory, source.path));
      }
    }
  }
}

async function readJson(file: string): Promise<unknown> {
  if (!existsSync(file)) {
    throw new LocalError('deploy-impossible', `There is no ${file}: was the app synthesised?`);
  }
  return JSON.parse(await readFile(file, 'utf8'));
}
