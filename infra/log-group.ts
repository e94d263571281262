import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** A log group that outlives the stack, because the story of a failed first deploy is told there. */
export function logGroupOf(
  scope: Construct,
  id: string,
  options: { readonly logRetention: logs.RetentionDays; readonly encryptionKey: kms.IKey | undefined },
): logs.LogGroup {
  const { logRetention: retention, encryptionKey } = options;
  const removalPolicy = RemovalPolicy.RETAIN;
  if (encryptionKey === undefined) return new logs.LogGroup(scope, id, { retention, removalPolicy });
  allowLogs(scope, encryptionKey);
  return new logs.LogGroup(scope, id, { retention, removalPolicy, encryptionKey });
}

/** CloudWatch Logs encrypts in its own name, and only for log groups of this account and region. */
function allowLogs(scope: Construct, key: kms.IKey): void {
  const stack = Stack.of(scope);
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'ForerunLogs',
      principals: [new iam.ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': stack.formatArn({ service: 'logs', resource: '*' }),
        },
      },
    }),
  );
}
