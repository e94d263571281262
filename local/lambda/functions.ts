import { createHash } from 'node:crypto';

import type { CodeStore, StoredCode } from './code-store.ts';
import { parseFunctionName } from './function-name.ts';
import type { EventInvokeSettings, FunctionSettings } from './function-settings.ts';
import type { Pool } from './pool.ts';
import { LambdaServiceError } from './service-error.ts';

/** One state of a function that can be invoked: `$LATEST` now, or a published version for ever. */
export interface FunctionVersion {
  readonly name: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly settings: FunctionSettings;
  readonly code: StoredCode;
  readonly pool: Pool;
}

/** What a qualifier stands for at the moment. */
export interface Resolved {
  readonly version: FunctionVersion;
  /** As the caller named it: with the qualifier, if there was one. */
  readonly invokedArn: string;
  readonly isQualified: boolean;
  readonly eventInvoke: EventInvokeSettings;
}

/** The functions of one account in one region. */
export interface Functions {
  readonly create: (name: string, settings: FunctionSettings) => Promise<{ readonly arn: string }>;
  /** Replaces `$LATEST`; published versions keep their code and environment. */
  readonly update: (name: string, settings: FunctionSettings) => Promise<void>;
  /** Removes the function, or only one of its versions. */
  readonly delete: (nameOrArn: string) => Promise<void>;
  /** Publishes `$LATEST`, unless it equals the version published last: then that one is the answer and not `fresh`. */
  readonly publish: (
    name: string,
  ) => Promise<{ readonly version: string; readonly arn: string; readonly fresh: boolean }>;
  /** Points an alias at a version, which must exist. */
  readonly setAlias: (name: string, alias: string, version: string) => { readonly arn: string };
  readonly deleteAlias: (name: string, alias: string) => void;
  /** `undefined` takes the configuration back. */
  readonly setEventInvoke: (
    name: string,
    qualifier: string,
    settings: EventInvokeSettings | undefined,
  ) => void;
  /** The full ARN, whether there is such a function or not. */
  readonly arnOf: (nameOrArn: string, qualifier?: string) => string;
  readonly resolve: (nameOrArn: string, qualifier?: string) => Resolved;
  readonly closePools: () => Promise<void>;
}

interface Entry {
  readonly arn: string;
  latest: FunctionVersion;
  published: number;
  lastFingerprint: string | undefined;
  readonly versions: Map<string, FunctionVersion>;
  readonly aliases: Map<string, string>;
  readonly eventInvoke: Map<string, EventInvokeSettings>;
}

export interface FunctionsOptions {
  readonly store: CodeStore;
  readonly arnOf: (name: string) => string;
  readonly poolFor: (version: Omit<FunctionVersion, 'pool'>) => Pool;
}

/** Makes an empty registry. */
export function createFunctions({ store, arnOf, poolFor }: FunctionsOptions): Functions {
  const entries = new Map<string, Entry>();

  const build = (
    name: string,
    version: string,
    from: Pick<FunctionVersion, 'settings' | 'code'>,
  ): FunctionVersion => {
    const plain = { name, version, settings: from.settings, code: from.code };
    return { ...plain, pool: poolFor(plain) };
  };
  const entryOf = (nameOrArn: string): Entry => {
    const { name } = parseFunctionName(nameOrArn);
    const entry = entries.get(name);
    if (entry === undefined) {
      throw notFound(arnOf(name));
    }
    return entry;
  };

  return {
    async create(name, settings) {
      if (entries.has(name)) {
        throw new LambdaServiceError('ResourceConflictException', `Function already exist: ${name}`);
      }
      const latest = build(name, '$LATEST', { settings, code: await store.put(settings.code) });
      entries.set(name, {
        arn: arnOf(name),
        latest,
        published: 0,
        lastFingerprint: undefined,
        versions: new Map(),
        aliases: new Map(),
        eventInvoke: new Map(),
      });
      return { arn: arnOf(name) };
    },
    async update(name, settings) {
      const entry = entryOf(name);
      const before = entry.latest;
      if ((before.settings.durable === undefined) !== (settings.durable === undefined)) {
        throw new LambdaServiceError(
          'InvalidParameterValueException',
          `DurableConfig of ${before.name} can be set only when a function is created.`,
        );
      }
      entry.latest = build(before.name, '$LATEST', { settings, code: await store.put(settings.code) });
      await before.pool.retire();
    },
    async delete(nameOrArn) {
      const { name, qualifier } = parseFunctionName(nameOrArn);
      const entry = entryOf(name);
      if (qualifier !== undefined) {
        const version = entry.versions.get(qualifier);
        entry.versions.delete(qualifier);
        await version?.pool.retire();
        return;
      }
      entries.delete(name);
      await Promise.all([entry.latest, ...entry.versions.values()].map((each) => each.pool.retire()));
    },
    async publish(name) {
      const entry = entryOf(name);
      const fingerprint = fingerprintOf(entry.latest);
      const last = String(entry.published);
      if (entry.lastFingerprint === fingerprint && entry.versions.has(last)) {
        return { version: last, arn: `${entry.arn}:${last}`, fresh: false };
      }
      entry.published += 1;
      entry.lastFingerprint = fingerprint;
      const version = String(entry.published);
      entry.versions.set(version, build(entry.latest.name, version, entry.latest));
      return { version, arn: `${entry.arn}:${version}`, fresh: true };
    },
    setAlias(name, alias, version) {
      const entry = entryOf(name);
      if (version !== '$LATEST' && !entry.versions.has(version)) {
        throw notFound(`${entry.arn}:${version}`);
      }
      entry.aliases.set(alias, version);
      return { arn: `${entry.arn}:${alias}` };
    },
    deleteAlias(name, alias) {
      entryOf(name).aliases.delete(alias);
    },
    setEventInvoke(name, qualifier, settings) {
      const { eventInvoke } = entryOf(name);
      if (settings === undefined) {
        eventInvoke.delete(qualifier);
      } else {
        eventInvoke.set(qualifier, settings);
      }
    },
    arnOf(nameOrArn, beside) {
      const { name, qualifier } = parseFunctionName(nameOrArn, beside);
      return qualifier === undefined ? arnOf(name) : `${arnOf(name)}:${qualifier}`;
    },
    resolve(nameOrArn, beside) {
      const { name, qualifier } = parseFunctionName(nameOrArn, beside);
      const entry = entryOf(name);
      const invokedArn = qualifier === undefined ? entry.arn : `${entry.arn}:${qualifier}`;
      const version = versionOf(entry, qualifier ?? '$LATEST');
      if (version === undefined) {
        throw notFound(invokedArn);
      }
      const eventInvoke = entry.eventInvoke.get(qualifier ?? '$LATEST') ?? {};
      return { version, invokedArn, isQualified: qualifier !== undefined, eventInvoke };
    },
    async closePools() {
      const all = [...entries.values()].flatMap((entry) => [entry.latest, ...entry.versions.values()]);
      await Promise.all(all.map((each) => each.pool.close()));
    },
  };
}

function versionOf(entry: Entry, qualifier: string): FunctionVersion | undefined {
  const version = entry.aliases.get(qualifier) ?? qualifier;
  return version === '$LATEST' ? entry.latest : entry.versions.get(version);
}

/** Lambda publishes nothing when neither code nor configuration changed since the last version. */
function fingerprintOf({ settings, code }: FunctionVersion): string {
  return createHash('sha256')
    .update(JSON.stringify({ ...settings, code: code.sha256 }))
    .digest('hex');
}

function notFound(arn: string): LambdaServiceError {
  return new LambdaServiceError('ResourceNotFoundException', `Function not found: ${arn}`);
}
