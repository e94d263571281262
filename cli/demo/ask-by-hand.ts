import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ExecuteStatementCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import type { Rehearsal } from '../../local/rehearsal.ts';

/** Sends a person's event to the runner, with the SDK as a person would. */
export async function invokeRunner(rehearsal: Rehearsal, stackName: string, event: object): Promise<unknown> {
  const client = new LambdaClient(clientSettings(rehearsal, 'AWS_ENDPOINT_URL_LAMBDA'));
  const { Payload } = await client.send(
    new InvokeCommand({
      FunctionName: physicalId(rehearsal, stackName, 'MigrationsRunner', 'AWS::Lambda::Function'),
      Payload: JSON.stringify(event),
    }),
  );
  client.destroy();
  return JSON.parse(Buffer.from(Payload ?? []).toString());
}

/** Reads rows through the Data API, with the secret of the database's stack. */
export async function readRows(
  rehearsal: Rehearsal,
  sql: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new RDSDataClient(clientSettings(rehearsal, 'AWS_ENDPOINT_URL_RDS_DATA'));
  const cluster = rehearsal.cloudFormation
    .stack('ForerunDemoDatabase')
    ?.resources.find(({ type }) => type === 'AWS::RDS::DBCluster');
  const { formattedRecords } = await client.send(
    new ExecuteStatementCommand({
      resourceArn: String(cluster?.attributes['DBClusterArn']),
      secretArn: String(cluster?.attributes['MasterUserSecret.SecretArn']),
      database: 'app',
      formatRecordsAs: 'JSON',
      sql,
    }),
  );
  client.destroy();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(formattedRecords ?? '[]') as Record<string, unknown>[];
}

function physicalId(
  { cloudFormation }: Rehearsal,
  stackName: string,
  beginning: string,
  type: string,
): string {
  const resource = cloudFormation
    .stack(stackName)
    ?.resources.find((one) => one.type === type && one.logicalId.startsWith(beginning));
  return String(resource?.physicalId);
}

function clientSettings({ environment }: Rehearsal, endpoint: string) {
  return {
    endpoint: String(environment[endpoint]),
    region: String(environment['AWS_REGION']),
    credentials: {
      accessKeyId: String(environment['AWS_ACCESS_KEY_ID']),
      secretAccessKey: String(environment['AWS_SECRET_ACCESS_KEY']),
    },
  };
}
