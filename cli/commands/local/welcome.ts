import type { ClusterDeclaration } from '../../../local/start-clusters.ts';

/** What is printed once everything listens: what to export, the ARNs, an example to paste. */
export function welcome(
  urls: { readonly dataApi: string; readonly secretsManager: string },
  clusters: readonly ClusterDeclaration[],
): string {
  const [first] = clusters;
  const secret = first?.secrets.at(-1)?.arn ?? '';
  return `The RDS Data API listens on ${urls.dataApi}. Point an AWS SDK or the AWS CLI at it:

  export AWS_ENDPOINT_URL_RDS_DATA=${urls.dataApi}
  export AWS_ENDPOINT_URL_SECRETS_MANAGER=${urls.secretsManager}
  export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local

${clusters.map(described).join('\n')}

  aws rds-data execute-statement --resource-arn ${first?.arn ?? ''} --secret-arn ${secret} --database ${first?.databases[0] ?? 'postgres'} --sql 'select 1'

Stop it with Ctrl-C.`;
}

function described({ name, arn, databases, secrets }: ClusterDeclaration): string {
  const logins = secrets.map(
    (secret) =>
      `    ${secret.username === undefined ? 'superuser' : `user ${secret.username}`}: ${secret.arn}`,
  );
  return [`  cluster ${name}: ${arn}`, `    databases: ${databases.join(', ')}`, ...logins].join('\n');
}
