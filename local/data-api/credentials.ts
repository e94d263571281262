import type { SecretLookup } from '../secrets-manager/secret-store.ts';
import { ServiceError } from './service-error.ts';

/** What the service takes from a secret; a host or a database name in it is ignored. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html */
export function credentials(secrets: SecretLookup, secretArn: string): Credentials {
  const secret = secrets.find(secretArn);
  if (secret === undefined) {
    throw new ServiceError('SecretsErrorException', `Secrets Manager can't find the secret ${secretArn}`);
  }
  const content = parsed(secret.value);
  if (
    typeof content === 'object' &&
    content !== null &&
    'username' in content &&
    'password' in content &&
    typeof content.username === 'string' &&
    typeof content.password === 'string'
  ) {
    return { user: content.username, password: content.password };
  }
  throw new ServiceError('InvalidSecretException', 'The secret holds no username and password');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
