import { LocalError } from '../../../local/errors.ts';
import type { ClusterWish } from './declare.ts';

/** The flags that say what is served; all of them may be absent. */
export interface ClusterFlags {
  /** `name` or `name=database,database`. */
  readonly cluster?: readonly string[] | undefined;
  /** `cluster=user`. */
  readonly secret?: readonly string[] | undefined;
  readonly database?: string | undefined;
  readonly databaseUrl?: string | undefined;
}

/** Reads the flags; without any it is one cluster `local` with one database `app`. */
export function wishesOfFlags({
  cluster = [],
  secret = [],
  database,
  databaseUrl,
}: ClusterFlags): readonly ClusterWish[] {
  if (database !== undefined && cluster.length > 0) {
    throw new LocalError(
      'bad-option',
      'With --cluster, databases are named as in --cluster orders=orders,audit.',
    );
  }
  if (databaseUrl !== undefined && cluster.length > 1) {
    throw new LocalError(
      'bad-option',
      'One --database-url serves one cluster; more of them go into a --config file.',
    );
  }
  const clusters = cluster.length > 0 ? cluster : [`local=${database ?? 'app'}`];
  const users = secret.map((text) => {
    const [name, username = ''] = parts(text);
    if (name === '' || username === '') {
      throw new LocalError('bad-option', `--secret takes <cluster>=<user>, not "${text}".`);
    }
    return { cluster: name, username };
  });
  const wishes = clusters.map((text): ClusterWish => {
    const [name, list] = parts(text);
    const databases = list?.split(',').filter((one) => one !== '');
    const secrets = users.filter((user) => user.cluster === name).map(({ username }) => ({ username }));
    return { name, databases, secrets, databaseUrl };
  });
  const stray = users.find((user) => !wishes.some(({ name }) => name === user.cluster));
  if (stray !== undefined) {
    throw new LocalError(
      'bad-option',
      `--secret names the cluster "${stray.cluster}", which is not declared.`,
    );
  }
  return wishes;
}

function parts(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
