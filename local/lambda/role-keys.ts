import { createHash } from 'node:crypto';

/**
 * The access keys that stand for roles on this machine. A service reads the key id from the signature of a request and
 * so knows which role is asking.
 */
export interface RoleKeys {
  /** Environment variables with which the SDK signs as this role. */
  readonly variables: (roleArn: string) => Readonly<Record<string, string>>;
  /** ARN of the role behind a key id, if it is a role of a function. */
  readonly roleOf: (accessKeyId: string) => string | undefined;
}

/** Key ids come from `accessKeyFor`; by default they follow from the ARN, so equal deploys have equal keys. */
export function createRoleKeys(accessKeyFor: (roleArn: string) => string = derivedKey): RoleKeys {
  const roles = new Map<string, string>();
  return {
    variables(roleArn) {
      const accessKeyId = accessKeyFor(roleArn);
      roles.set(accessKeyId, roleArn);
      return {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: 'local-secret-access-key',
        AWS_SESSION_TOKEN: 'local-session-token',
      };
    },
    roleOf: (accessKeyId) => roles.get(accessKeyId),
  };
}

/** `ASIA` marks temporary credentials: what a Lambda function always has. */
function derivedKey(roleArn: string): string {
  return `ASIA${createHash('sha256').update(roleArn).digest('hex').slice(0, 16).toUpperCase()}`;
}
