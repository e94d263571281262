import type { ForerunError } from '../engine/errors.ts';
import type { Revision } from '../engine/migration.ts';
import { readParams, type ParamsSchema } from './params.ts';
import { noSecretHere, type Secrets } from './secret.ts';
import type { Surroundings } from './surroundings.ts';

/** What a migration gets from its surroundings, in its own shape. */
export interface Gift {
  readonly params: unknown;
  /** Filled by `prepare`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Why the parameters do not fit. */
  readonly refusal: ForerunError | undefined;
  prepare(): Promise<void>;
}

/** Where nothing was given. */
export const NOWHERE: Surroundings = {
  params: {},
  readSecret: (secret) => Promise.reject(noSecretHere(secret)),
};

/** Holds the surroundings against what a migration asks for. */
export function givenTo(
  {
    params: schema,
    secrets: wanted,
  }: { readonly params: ParamsSchema | undefined; readonly secrets: Secrets },
  { id }: Revision,
  { params: given, readSecret }: Surroundings,
): Gift {
  const read = schema === undefined ? { params: undefined } : readParams(id, schema, given);
  const secrets: Record<string, string> = {};
  return {
    params: 'params' in read ? read.params : undefined,
    refusal: 'refusal' in read ? read.refusal : undefined,
    secrets,
    async prepare() {
      for (const [name, secret] of Object.entries(wanted)) {
        secrets[name] = await readSecret(secret);
      }
    },
  };
}
