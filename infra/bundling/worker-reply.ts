import * as v from 'valibot';
import { ERROR_CODES, type ErrorCode, ForerunError } from '../../lambda/engine/errors.ts';

/** File descriptor for replies: standard output stays free for what a migration's module prints while it loads. */
export const REPLY_FD = 3;

const errorCode = v.custom<ErrorCode>((code) => typeof code === 'string' && code in ERROR_CODES);
const text = v.object({ what: v.string(), state: v.string(), next: v.string() });
const revision = v.object({
  id: v.string(),
  after: v.pipe(v.array(v.string()), v.readonly()),
  checksum: v.string(),
  phase: v.exactOptional(v.literal('after')),
});

/** One line of the worker's answer; the last one decides. */
export const Reply = v.variant('kind', [
  /** The top level of this file runs next. */
  v.object({ kind: v.literal('loading'), file: v.string() }),
  v.object({ kind: v.literal('refused'), code: errorCode, text }),
  v.object({ kind: v.literal('crashed'), message: v.string() }),
  v.object({
    kind: v.literal('bundled'),
    bundle: v.object({
      head: v.string(),
      digest: v.string(),
      migrations: v.pipe(v.array(revision), v.readonly()),
      repeatables: v.pipe(v.array(revision), v.readonly()),
      runner: v.string(),
      gate: v.string(),
      worker: v.nullable(v.string()),
      sources: v.pipe(v.array(v.string()), v.readonly()),
    }),
  }),
]);

export type Reply = v.InferOutput<typeof Reply>;

/** Everything the worker said, in order. */
export function readReplies(lines: string): readonly Reply[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => v.parse(Reply, JSON.parse(line)));
}

/** What is told of an error thrown in the worker. */
export function replyToError(error: unknown): Reply {
  if (error instanceof ForerunError) return { kind: 'refused', code: error.code, text: error.text };
  return {
    kind: 'crashed',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}
