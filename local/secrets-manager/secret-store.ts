import { randomUUID } from 'node:crypto';

/** A secret as it stands now. */
export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly value: string;
  readonly versionId: string;
  readonly createdMs: number;
}

/** Finds a secret by its full ARN or its name. */
export interface SecretLookup {
  find(id: string): Secret | undefined;
}

/** The secrets of one machine; the Data API and the Secrets Manager server read the same store. */
export interface SecretStore extends SecretLookup {
  /** Creates the secret or gives it a new value, as a rotation does. */
  put(secret: { readonly arn: string; readonly name: string; readonly value: string }): void;
  remove(arn: string): void;
}

export function secretStore(
  initial: readonly { readonly arn: string; readonly name: string; readonly value: string }[] = [],
): SecretStore {
  const secrets = new Map<string, Secret>();
  const put: SecretStore['put'] = (secret) => {
    secrets.set(secret.arn, { ...secret, versionId: randomUUID(), createdMs: Date.now() });
  };
  initial.forEach(put);
  return {
    put,
    remove: (arn) => void secrets.delete(arn),
    find: (id) => secrets.get(id) ?? [...secrets.values()].find(({ name }) => name === id),
  };
}
