import { RDSDataClient } from '@aws-sdk/client-rds-data';
import {
  type DataApiOptions,
  type LocalDataApi,
  startDataApi,
} from '../../../local/data-api/start-data-api.ts';
import { type LocalPostgres, startPostgres } from '../../../local/postgres/postgres.ts';
import { type SecretStore, secretStore } from '../../../local/secrets-manager/secret-store.ts';

export const NAMES = {
  resourceArn: 'arn:aws:rds:eu-west-1:123456789012:cluster:app',
  secretArn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf',
  database: 'postgres',
};

export interface LocalService extends AsyncDisposable {
  readonly postgres: LocalPostgres;
  /** Starts one more service over the same server; all of them end together. */
  start(
    options?: Partial<DataApiOptions>,
  ): Promise<{ api: LocalDataApi; client: RDSDataClient; secrets: SecretStore }>;
}

/** A database server, and Data APIs over it. */
export async function localService(): Promise<LocalService> {
  const postgres = await startPostgres();
  const ends: (() => Promise<void>)[] = [];
  return {
    postgres,
    async start(options = {}) {
      const value = JSON.stringify({ username: postgres.user, password: postgres.password });
      const secrets = secretStore([{ arn: NAMES.secretArn, name: 'app', value }]);
      const api = await startDataApi({
        postgres,
        clusters: [{ arn: NAMES.resourceArn }],
        secrets,
        ...options,
      });
      const client = new RDSDataClient({
        endpoint: api.url,
        region: 'eu-west-1',
        maxAttempts: 1,
        credentials: { accessKeyId: 'AKIDLOCAL', secretAccessKey: 'none' },
      });
      ends.push(async () => {
        client.destroy();
        await api.stop();
      });
      return { api, client, secrets };
    },
    async [Symbol.asyncDispose]() {
      for (const end of ends.reverse()) await end();
      await postgres.stop();
    },
  };
}
