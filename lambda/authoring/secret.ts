import { ForerunError, UNTOUCHED } from '../engine/errors.ts';

const BRAND = Symbol.for('forerun.secret');

/** A secret that a migration needs: where it lies, never what it says. */
export interface Secret {
  /** Name or ARN in AWS Secrets Manager. */
  readonly nameOrArn: string;
  /** The member wanted, where the secret holds JSON; otherwise all of it. */
  readonly field: string | undefined;
}

/**
 * Names a secret of AWS Secrets Manager. It is read before the migration's transaction begins, and its text is taken out of
 * every log line, error and journal row that Forerun writes, and out of what a migration prints. The runner's role must be
 * allowed to read it: name it in the property `secrets` of `Migrations` too.
 *
 * @example
 * migration({ secrets: { app: secret('prod/app-role', 'password') }, async up({ op, secrets }) {
 *   await op.utility('create role app login password :password', { password: secrets.app });
 * } })
 */
export function secret(nameOrArn: string, field?: string): Secret {
  if (typeof nameOrArn !== 'string' || nameOrArn === '' || field === '') {
    throw new ForerunError('migration-not-a-migration', {
      what: 'secret() takes the name or ARN of a secret, and the name of a member where only one is wanted.',
      state: UNTOUCHED,
      next: 'Mend the call of secret().',
    });
  }
  return Object.freeze({ nameOrArn, field, [BRAND]: true });
}

/** The secrets of a migration, under the names by which its code knows them. */
export type Secrets = Readonly<Record<string, Secret>>;
export type NoSecrets = { readonly [K in never]: Secret };

/** The refusal where nobody can read secrets. */
export function noSecretHere({ nameOrArn }: Secret): ForerunError {
  return new ForerunError('secret-unavailable', {
    what: `The secret ${nameOrArn} cannot be read here.`,
    state: UNTOUCHED,
    next: 'Run the migration where Secrets Manager can be reached.',
  });
}

/** Whichever copy of this package made it. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && BRAND in value;
}
