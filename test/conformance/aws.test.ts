import {
  ExecuteStatementCommand,
  type ExecuteStatementCommandOutput,
  RDSDataClient,
} from '@aws-sdk/client-rds-data';
import { it } from 'vitest';
import { describeDataApi } from './describe-data-api.ts';
import type { Subject } from './subject.ts';

/** Names of the variables; region and credentials come from where the SDK looks for them. */
const {
  FORERUN_TEST_RESOURCE_ARN: resourceArn,
  FORERUN_TEST_SECRET_ARN: secretArn,
  FORERUN_TEST_DATABASE: home = 'postgres',
} = process.env;

/** A real cluster, in which the suite works in a database that it makes and drops. */
async function connectAws(names: {
  readonly resourceArn: string;
  readonly secretArn: string;
}): Promise<Subject> {
  const client = new RDSDataClient({ maxAttempts: 1 });
  const database = `forerun_conformance_${Date.now()}`;
  const administer = async (sql: string): Promise<ExecuteStatementCommandOutput> =>
    client.send(new ExecuteStatementCommand({ ...names, database: home, sql }));
  await administer(`create database ${database}`);
  return {
    client,
    ...names,
    database,
    controls: undefined,
    async close() {
      await administer(`drop database ${database} with (force)`);
      client.destroy();
    },
  };
}

// oxlint-disable-next-line vitest/no-conditional-tests -- without a cluster there is nothing to test, and that is said once.
if (resourceArn === undefined || secretArn === undefined) {
  // oxlint-disable-next-line vitest/expect-expect -- it only says why nothing was tested.
  it('a real cluster keeps the rules', (context) => {
    context.skip('FORERUN_TEST_RESOURCE_ARN and FORERUN_TEST_SECRET_ARN name no cluster');
  });
} else {
  describeDataApi('a real cluster', async () => connectAws({ resourceArn, secretArn }));
}
