import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { CallEntry } from '../../local/data-api/call-log.ts';
import { startDataApi } from '../../local/data-api/start-data-api.ts';
import { LocalError } from '../../local/errors.ts';
import { startPostgres } from '../../local/postgres/postgres.ts';
import { secretStore } from '../../local/secrets-manager/secret-store.ts';
import { startSecretsManager } from '../../local/secrets-manager/start-secrets-manager.ts';
import type { Command, Output } from '../command.ts';

const CLUSTER = 'arn:aws:rds:us-east-1:111122223333:cluster:local';
const SECRET = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:local-AbCdEf';

/** Serves the RDS Data API on this machine until it is stopped. */
export const local: Command = {
  name: 'local',
  summary: 'serve the RDS Data API over a PostgreSQL on this machine',
  help: `usage: forerun local [options]

Starts an embedded PostgreSQL and serves the RDS Data API (Aurora Serverless v2) and
Secrets Manager over it on 127.0.0.1, for unmodified AWS SDKs. Stop it with Ctrl-C.

  --port <n>            port of the Data API (default: a free one)
  --database <name>     database to create where it is not there (default: app)
  --database-url <url>  use this PostgreSQL instead of an embedded one
  --data-dir <folder>   keep the embedded database's data here
  --quiet               do not print each call

exit codes: 0 stopped by Ctrl-C · 1 it could not start · 2 an option is not understood`,
  async run(args, output) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        database: { type: 'string', default: 'app' },
        'database-url': { type: 'string' },
        'data-dir': { type: 'string' },
        quiet: { type: 'boolean', default: false },
      },
    });
    const port = values.port === undefined ? undefined : Number(values.port);
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65_536)) {
      output.err(`--port takes a whole number from 0 to 65535, not "${values.port ?? ''}".`);
      return 2;
    }
    const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    const postgres = await startPostgres({
      ...(values['database-url'] === undefined ? {} : { databaseUrl: values['database-url'] }),
      ...(values['data-dir'] === undefined ? {} : { dataDirectory: values['data-dir'] }),
    });
    try {
      await createMissing(() => postgres.createDatabase(values.database));
      const value = JSON.stringify({ username: postgres.user, password: postgres.password });
      const secrets = secretStore([{ arn: SECRET, name: 'local', value }]);
      const dataApi = await startDataApi({
        postgres,
        clusters: [{ arn: CLUSTER }],
        secrets,
        ...(port === undefined ? {} : { port }),
        ...(values.quiet ? {} : { onCall: (call: CallEntry) => output.out(callLine(call)) }),
      });
      const secretsManager = await startSecretsManager({ secrets });
      try {
        welcome(output, dataApi.url, secretsManager.url, values.database);
        await stopped;
        output.out('stopped');
        return 0;
      } finally {
        await secretsManager.stop();
        await dataApi.stop();
      }
    } finally {
      await postgres.stop();
    }
  },
};

/** With a kept data directory the database is there from the last time. */
async function createMissing(create: () => Promise<void>): Promise<void> {
  const DUPLICATE_DATABASE = '42P04';
  try {
    await create();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === DUPLICATE_DATABASE) return;
    throw new LocalError('postgres-not-reachable', 'The database could not be created.', { cause });
  }
}

function welcome({ out }: Output, dataApiUrl: string, secretsManagerUrl: string, database: string): void {
  out(`The RDS Data API listens on ${dataApiUrl}. Point an AWS SDK or the AWS CLI at it:

  export AWS_ENDPOINT_URL_RDS_DATA=${dataApiUrl}
  export AWS_ENDPOINT_URL_SECRETS_MANAGER=${secretsManagerUrl}
  export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local

  aws rds-data execute-statement --resource-arn ${CLUSTER} \\
    --secret-arn ${SECRET} --database ${database} --sql 'select 1'

Stop it with Ctrl-C.`);
}

/** One line a call: what, how long, how much; the statement without its values. */
function callLine({ operation, milliseconds, rows, error, sql }: CallEntry): string {
  const outcome = error === undefined ? `${rows ?? 0} rows` : `${error.name} ${error.sqlState ?? ''}`.trim();
  const text = sql === undefined ? '' : `  ${sql.replaceAll(/\s+/g, ' ').trim().slice(0, 80)}`;
  return `${operation.padEnd(21)} ${milliseconds.toFixed(0).padStart(5)} ms  ${outcome}${text}`;
}
