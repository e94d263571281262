import { formatWithOptions } from 'node:util';

type Hide = (text: string) => string;

/** What Lambda puts its own printing into; everything else of the console goes through the streams. */
const PRINTING = ['log', 'info', 'debug', 'warn', 'error', 'trace'] as const;

/** All of a value, however deep: what is cut off here could be printed in full elsewhere. */
const WHOLE = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, breakLength: Infinity };

/**
 * Keeps secrets out of what a migration prints by itself while `work` runs. What holds none is printed as it always is, by the
 * console of Lambda for example, which has a form of its own; what holds one is printed as plain text, without it.
 */
export async function hidingOutput<T>(hide: Hide, work: () => Promise<T>): Promise<T> {
  const restore = [
    ...PRINTING.map((method) => hidingMethod(method, hide)),
    ...STREAMS.map((name) => hidingStream(name, hide)),
  ];
  try {
    return await work();
  } finally {
    for (const putBack of restore) putBack();
  }
}

function hidingMethod(method: (typeof PRINTING)[number], hide: Hide): () => void {
  const original = console[method];
  const print = original.bind(console);
  console[method] = (...given: unknown[]) => {
    const text = formatWithOptions(WHOLE, ...given);
    const shown = hide(text);
    if (shown !== text) print('%s', shown);
    else if (holdsSecretInJson(given, hide)) print('%s', '[secret]');
    else print(...given);
  };
  return () => {
    console[method] = original;
  };
}

/** The console of Lambda may print values as JSON, where quotes are written in another way. */
function holdsSecretInJson(given: readonly unknown[], hide: Hide): boolean {
  try {
    const text = JSON.stringify(given);
    return hide(text) !== text;
  } catch {
    // A circle or a bigint: then no JSON is printed either.
    return false;
  }
}

const STREAMS = ['stdout', 'stderr'] as const;

function hidingStream(name: (typeof STREAMS)[number], hide: Hide): () => void {
  const stream = process[name];
  const original = stream.write;
  const write = original.bind(stream);
  stream.write = (chunk: Uint8Array | string, ...more: readonly unknown[]) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const shown = hide(text);
    // The overloads differ in what follows the chunk, which is handed on as it came.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return write(shown === text ? chunk : shown, ...(more as []));
  };
  return () => {
    stream.write = original;
  };
}
