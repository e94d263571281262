import { RDSDataClient } from '@aws-sdk/client-rds-data';
import { dataApiDatabase } from '../../lambda/data-api/database.ts';
import type { Database } from '../../lambda/engine/ports.ts';
import { startDataApi } from '../../local/data-api/start-data-api.ts';
import { startPostgres } from '../../local/postgres/postgres.ts';
import { secretStore } from '../../local/secrets-manager/secret-store.ts';

const CLUSTER = 'arn:aws:rds:eu-central-1:123456789012:cluster:authoring';
const SECRET = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:authoring';

/** The real database port over a local Data API over a PostgreSQL of its own. */
export async function startDatabase(): Promise<{ readonly database: Database; stop(): Promise<void> }> {
  const postgres = await startPostgres();
  const { user: username, password } = postgres;
  const secret = { arn: SECRET, name: 'authoring', value: JSON.stringify({ username, password }) };
  const dataApi = await startDataApi({
    postgres,
    clusters: [{ arn: CLUSTER }],
    secrets: secretStore([secret]),
  });
  const client = new RDSDataClient({
    endpoint: dataApi.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const database = dataApiDatabase({
    target: { clusterArn: CLUSTER, secretArn: SECRET, database: 'postgres', history: 'default' },
    clock: { now: () => Date.now(), sleep: () => Promise.reject(new Error('nothing to wait for')) },
    random: () => 0,
    tell: () => undefined,
    deadlineMs: Number.MAX_SAFE_INTEGER,
    client,
  });
  return {
    database,
    async stop() {
      client.destroy();
      await dataApi.stop();
      await postgres.stop();
    },
  };
}
