import type { Secret } from './secret.ts';

/** What a migration gets from where it is deployed. */
export interface Surroundings {
  /** Values that the construct or the event gave; plain data. */
  readonly params: unknown;
  /** The wanted text of a secret; rejects with a `ForerunError`. */
  readSecret(secret: Secret): Promise<string>;
}
