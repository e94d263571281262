import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { LocalError } from '../../../local/errors.ts';
import type { ClusterWish } from './declare.ts';

const word = v.pipe(v.string(), v.nonEmpty());

const configSchema = v.strictObject({
  clusters: v.pipe(
    v.array(
      v.strictObject({
        name: word,
        arn: v.optional(word),
        databaseUrl: v.optional(word),
        databases: v.optional(v.array(word)),
        secrets: v.optional(
          v.array(
            v.strictObject({
              username: word,
              password: v.optional(word),
              name: v.optional(word),
              arn: v.optional(word),
            }),
          ),
        ),
      }),
    ),
    v.nonEmpty('at least one cluster'),
  ),
  faults: v.optional(v.array(word)),
});

/** What a file of clusters says. */
export interface LocalConfig {
  readonly clusters: readonly ClusterWish[];
  /** Each as `--fault` takes it. */
  readonly faults?: readonly string[] | undefined;
}

/** Reads the file; what is wrong with it is said in one line that names the place, and never shows a value. */
export async function readConfig(path: string): Promise<LocalConfig> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LocalError('bad-option', `${path} cannot be read.`, { cause });
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new LocalError('bad-option', `${path} is not JSON.`, { cause });
  }
  const result = v.safeParse(configSchema, parsed);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue);
  const where = place === null ? path : `${path}, ${place}`;
  // The text of valibot quotes what it received, which may be a password.
  const expected = issue.type === 'non_empty' ? 'something' : (issue.expected ?? 'something else');
  throw new LocalError(
    'bad-option',
    `${where}: ${expected === 'never' ? 'no such member' : `expected ${expected}`}.`,
  );
}
