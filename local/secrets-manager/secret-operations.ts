import type { Secret } from './secret-store.ts';
import { SecretsError } from './secrets-error.ts';

/** What a request may ask of a secret. */
export interface SecretRequest {
  readonly SecretId: string;
  readonly VersionId?: string;
  readonly VersionStage?: string;
}

/** An operation makes its answer from the secret that the request names. */
export type SecretOperation = (secret: Secret, request: SecretRequest) => Readonly<Record<string, unknown>>;

const CURRENT = 'AWSCURRENT';

/** Operations by the name after the dot in `X-Amz-Target`. */
export const SECRET_OPERATIONS: ReadonlyMap<string, SecretOperation> = new Map([
  ['GetSecretValue', getSecretValue],
  ['DescribeSecret', describeSecret],
]);

/** The current version is the only one there is. */
function getSecretValue(secret: Secret, request: SecretRequest): Readonly<Record<string, unknown>> {
  const { VersionId = secret.versionId, VersionStage = CURRENT } = request;
  if (VersionId !== secret.versionId || VersionStage !== CURRENT) throw secretNotFound('value');
  return {
    ARN: secret.arn,
    CreatedDate: secret.createdMs / 1000,
    Name: secret.name,
    SecretString: secret.value,
    VersionId: secret.versionId,
    VersionStages: [CURRENT],
  };
}

function describeSecret(secret: Secret): Readonly<Record<string, unknown>> {
  return {
    ARN: secret.arn,
    CreatedDate: secret.createdMs / 1000,
    Name: secret.name,
    VersionIdsToStages: { [secret.versionId]: [CURRENT] },
  };
}

export function secretNotFound(what: 'secret' | 'value'): SecretsError {
  const message =
    what === 'secret'
      ? "Secrets Manager can't find the specified secret."
      : "Secrets Manager can't find the specified secret value for this version.";
  return new SecretsError('ResourceNotFoundException', message);
}
