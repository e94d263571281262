/**
 * The app of the demo: answers with the published articles, newest first.
 * The client is loaded at the first call, so the module itself loads anywhere; Lambda's runtime carries the SDK.
 */
export async function handler() {
  const { RDSDataClient, ExecuteStatementCommand } = await import('@aws-sdk/client-rds-data');
  const { formattedRecords } = await new RDSDataClient().send(
    new ExecuteStatementCommand({
      resourceArn: process.env.CLUSTER_ARN,
      secretArn: process.env.SECRET_ARN,
      database: process.env.DATABASE,
      formatRecordsAs: 'JSON',
      sql: 'select title, price::text, published_on::text from articles where is_published order by published_on desc, id',
    }),
  );
  return { version: process.env.APP_VERSION, articles: JSON.parse(formattedRecords ?? '[]') };
}
