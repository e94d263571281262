/** Registers a test; this is all that the kit needs of a test runner. */
export type RegisterTest = (name: string, body: () => Promise<void>, timeoutMs: number) => void;

/**
 * Vitest keeps `test` in a module unless it is told otherwise, and Node always does; both can only be imported with an
 * await, and tests are registered without one. So the import happens here, once, and only in the runner that it belongs to.
 */
const imported: RegisterTest = '__vitest_worker__' in globalThis ? await fromVitest() : await fromNode();

/** The runner at work in this process: the one with a global `test` or `it`, else Vitest, else `node:test`. */
export const registerTest: RegisterTest = (name, body, timeoutMs) => {
  const test = globalFunction('test') ?? globalFunction('it');
  if (test === undefined) imported(name, body, timeoutMs);
  else test(name, body, timeoutMs);
};

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
