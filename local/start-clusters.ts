import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseError } from 'pg';
import type { ClusterOptions } from './data-api/clusters.ts';
import { LocalError } from './errors.ts';
import { type LocalPostgres, startPostgres } from './postgres/postgres.ts';
import { type SecretStore, secretStore } from './secrets-manager/secret-store.ts';

/** A secret of one cluster. */
export interface SecretDeclaration {
  readonly arn: string;
  readonly name: string;
  /** User it logs in as. Default: the server's own superuser. */
  readonly username?: string;
  /** Default: one made by chance at each start. */
  readonly password?: string;
}

/** A cluster to serve. */
export interface ClusterDeclaration {
  readonly name: string;
  readonly arn: string;
  /** PostgreSQL to use. Default: an embedded one of the cluster's own. */
  readonly databaseUrl?: string;
  /** Created where they are not there yet; they belong to the first user that a secret names. */
  readonly databases: readonly string[];
  readonly secrets: readonly SecretDeclaration[];
}

/** Clusters with a server each, as the Data API wants them. */
export interface StartedClusters {
  readonly clusters: readonly ClusterOptions[];
  readonly secrets: SecretStore;
  /** Stops every server that was started. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL for each cluster, so that no user, database or failure of one is seen by another, as on AWS.
 * `dataDirectory` keeps the data, in a folder for each cluster.
 */
export async function startClusters(
  declarations: readonly ClusterDeclaration[],
  options: { readonly dataDirectory?: string } = {},
): Promise<StartedClusters> {
  const servers: LocalPostgres[] = [];
  const secrets = secretStore();
  const clusters: ClusterOptions[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(async (server) => server.stop()));
  };
  try {
    for (const declaration of declarations) {
      const server = await startPostgres(serverOptions(declaration, options.dataDirectory));
      servers.push(server);
      await furnish(server, declaration, secrets).catch(refused(declaration.name));
      clusters.push({ arn: declaration.arn, server: { host: server.host, port: server.port } });
    }
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { clusters, secrets, stop };
}

function serverOptions(
  { name, databaseUrl }: ClusterDeclaration,
  dataDirectory: string | undefined,
): Parameters<typeof startPostgres>[0] {
  if (databaseUrl !== undefined) return { databaseUrl };
  return dataDirectory === undefined ? {} : { dataDirectory: join(dataDirectory, name) };
}

/** Databases, users and the secrets that log in as them. */
async function furnish(
  server: LocalPostgres,
  { databases, secrets }: ClusterDeclaration,
  store: SecretStore,
): Promise<void> {
  for (const database of databases) await server.provideDatabase(database);
  let owned = false;
  for (const { arn, name, username, password = randomBytes(18).toString('base64url') } of secrets) {
    if (username === undefined) {
      store.put({ arn, name, value: login(server.user, server.password) });
      continue;
    }
    await server.provideUser(username, password, owned ? [] : databases);
    owned = true;
    store.put({ arn, name, value: login(username, password) });
  }
}

/** A server of the user's own may not let its user create anything. */
function refused(cluster: string): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof DatabaseError)) throw cause;
    throw new LocalError(
      'postgres-not-reachable',
      `PostgreSQL prepares no cluster ${cluster}: ${cause.message}.`,
      {
        cause,
      },
    );
  };
}

function login(username: string, password: string): string {
  return JSON.stringify({ username, password });
}
