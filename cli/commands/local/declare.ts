import { LocalError } from '../../../local/errors.ts';
import type { ClusterDeclaration, SecretDeclaration } from '../../../local/start-clusters.ts';

/** What a cluster needs to be told; everything else has a default. */
export interface ClusterWish {
  readonly name: string;
  /** Default: an ARN with this name. */
  readonly arn?: string | undefined;
  readonly databaseUrl?: string | undefined;
  /** Default: one named `app`. */
  readonly databases?: readonly string[] | undefined;
  /** Besides the secret of the superuser, which is named like the cluster. */
  readonly secrets?: readonly SecretWish[] | undefined;
}

interface SecretWish {
  readonly username: string;
  /** Default: name of the cluster, a hyphen, name of the user. */
  readonly name?: string | undefined;
  readonly arn?: string | undefined;
  readonly password?: string | undefined;
}

/** Region and account of every ARN that is not given. */
const ACCOUNT = 'us-east-1:111122223333';

/** Fills in the defaults and refuses what two clusters, or two secrets, cannot share. */
export function declare(wishes: readonly ClusterWish[]): readonly ClusterDeclaration[] {
  const declarations = wishes.map(declaration);
  const secrets = declarations.flatMap((cluster) => cluster.secrets);
  once(
    'the cluster name',
    declarations.map(({ name }) => name),
  );
  once(
    'the cluster ARN',
    declarations.map(({ arn }) => arn),
  );
  once(
    'the secret name',
    secrets.map(({ name }) => name),
  );
  once(
    'the secret ARN',
    secrets.map(({ arn }) => arn),
  );
  for (const cluster of declarations) {
    once(
      `in cluster ${cluster.name} the user`,
      cluster.secrets.flatMap(({ username = [] }) => username),
    );
  }
  return declarations;
}

function declaration({ name, arn, databaseUrl, databases, secrets = [] }: ClusterWish): ClusterDeclaration {
  // It is also the name of a folder.
  if (!/^[A-Za-z][A-Za-z0-9-]{0,62}$/u.test(name)) {
    throw new LocalError(
      'bad-option',
      `"${name}" is no name for a cluster: a letter, then letters, digits, hyphens.`,
    );
  }
  return {
    name,
    arn: arn ?? `arn:aws:rds:${ACCOUNT}:cluster:${name}`,
    databases: databases ?? ['app'],
    secrets: [{ arn: secretArn(name), name }, ...secrets.map((secret) => named(name, secret))],
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  };
}

function named(cluster: string, { username, name, arn, password }: SecretWish): SecretDeclaration {
  const own = name ?? `${cluster}-${username}`;
  return {
    arn: arn ?? secretArn(own),
    name: own,
    username,
    ...(password === undefined ? {} : { password }),
  };
}

/** A secret's ARN ends in a hyphen and six characters that AWS makes up. */
function secretArn(name: string): string {
  return `arn:aws:secretsmanager:${ACCOUNT}:secret:${name}-AbCdEf`;
}

function once(what: string, values: readonly string[]): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw new LocalError('bad-option', `${what} ${twice} is declared twice.`);
}
