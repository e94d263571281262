/** Registers a test; this is all that the kit needs of a test runner. */
export type RegisterTest = (name: string, body: () => Promise<void>, timeoutMs: number) => void;

/**
 * The runner at work in this process: the one with a global `test` or `it`, else Vitest, else `node:test`.
 *
 * Vitest keeps `test` in a module unless it is told otherwise, and Node always does; both can only be imported with an
 * await, and tests are registered without one. So it happens here, once; Jest, for one, cannot import `node:test` at all.
 */
export const registerTest: RegisterTest = fromGlobals() ?? (await imported());

function fromGlobals(): RegisterTest | undefined {
  const test = globalFunction('test') ?? globalFunction('it');
  return test === undefined ? undefined : (...given) => void test(...given);
}

async function imported(): Promise<RegisterTest> {
  return '__vitest_worker__' in globalThis ? fromVitest() : fromNode();
}

async function fromVitest(): Promise<RegisterTest> {
  const { test } = await import('vitest');
  return (name, body, timeoutMs) => {
    test(name, body, timeoutMs);
  };
}

async function fromNode(): Promise<RegisterTest> {
  const { test } = await import('node:test');
  return (name, body, timeout) => void test(name, { timeout }, body);
}

function globalFunction(name: string): ((...args: readonly unknown[]) => unknown) | undefined {
  const found: unknown = Reflect.get(globalThis, name);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return typeof found === 'function' ? (found as (...args: readonly unknown[]) => unknown) : undefined;
}
