import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A failure to find the handler, with the type under which the Node.js runtime reports it. */
export class LoadError extends Error {
  readonly errorType: string;

  constructor(errorType: string, message: string) {
    super(message);
    this.name = errorType;
    this.errorType = errorType;
  }
}

export type Handler = (event: unknown, context: unknown) => unknown;

/**
 * Loads `<file>.<export>` from a task directory as the managed Node.js runtime does: `.js`, then `.mjs`, then `.cjs`.
 * Errors carry the names that Lambda gives them.
 */
export async function loadHandler(taskRoot: string, handler: string): Promise<Handler> {
  const [, directory = '', file, name] = /^(.*\/)?([^/.]+)\.(.+)$/.exec(handler) ?? [];
  if (file === undefined || name === undefined) {
    throw new LoadError('Runtime.MalformedHandlerName', 'Bad handler');
  }
  const stem = join(taskRoot, directory, file);
  const path = ['.js', '.mjs', '.cjs'].map((ending) => stem + ending).find((each) => existsSync(each));
  if (path === undefined) {
    throw new LoadError('Runtime.ImportModuleError', `Error: Cannot find module '${file}'`);
  }
  const loaded = await importModule(path);
  const found = exported(loaded, name) ?? exported(exported(loaded, 'default'), name);
  if (typeof found !== 'function') {
    throw new LoadError('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  }
  return (event, context): unknown => Reflect.apply(found, undefined, [event, context]);
}

/**
 * Lambda's runtime brings the AWS SDK along, so bundles leave it out. Here it comes from where this file stands,
 * and only when the bundle has none of its own.
 */
export function offerSdk(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (!/^@(aws-sdk|smithy)\//.test(specifier)) {
        return next(specifier, context);
      }
      try {
        return next(specifier, context);
      } catch {
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}

async function importModule(path: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new LoadError('Runtime.UserCodeSyntaxError', String(error));
    }
    const code = exported(error, 'code');
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') {
      throw new LoadError('Runtime.ImportModuleError', String(error));
    }
    throw error;
  }
}

function exported(value: unknown, path: string): unknown {
  let current = value;
  for (const key of path.split('.')) {
    if (current === null || (typeof current !== 'object' && typeof current !== 'function')) {
      return undefined;
    }
    current = Reflect.get(current, key);
  }
  return current;
}
