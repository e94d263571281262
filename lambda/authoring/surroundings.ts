/** What a migration gets from where it is deployed. */
export interface Surroundings {
  /** Values that the construct or the event gave; plain data. */
  readonly params: unknown;
  /** The whole text of a secret; rejects with a `ForerunError`. */
  readSecret(nameOrArn: string): Promise<string>;
}
