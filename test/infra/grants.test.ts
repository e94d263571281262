import { Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, it } from 'vitest';
import { Migrations } from '../../infra/index.ts';
import { sameFolderOf } from './folder.ts';
import {
  CLUSTER_ARN,
  CUSTOM,
  ONE,
  SECRET_ARN,
  newApp,
  newCluster,
  newStack,
  plainStack,
  resourceOf,
  resourcesOf,
  statementsOf,
} from './stack.ts';

describe('the grants', () => {
  it('let the runner use one cluster, one secret and one log group', () => {
    const { stack } = plainStack();
    const { id } = resourceOf(stack, 'AWS::Logs::LogGroup', 'MigrationsRunner');
    expect(statementsOf(stack, 'MigrationsRunner')).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: { 'Fn::GetAtt': [id, 'Arn'] },
      },
      {
        Effect: 'Allow',
        Action: [
          'rds-data:BatchExecuteStatement',
          'rds-data:BeginTransaction',
          'rds-data:CommitTransaction',
          'rds-data:ExecuteStatement',
          'rds-data:RollbackTransaction',
        ],
        Resource: CLUSTER_ARN,
      },
      { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: SECRET_ARN },
    ]);
  });

  it('let the gate invoke published runners and look at its own stack', () => {
    const { stack } = plainStack();
    const runner = resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsRunner');
    expect(statementsOf(stack, 'MigrationsGate').slice(1)).toEqual([
      {
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [runner.id, 'Arn'] }, ':*']] },
      },
      { Effect: 'Allow', Action: 'cloudformation:DescribeStacks', Resource: { Ref: 'AWS::StackId' } },
    ]);
  });

  it('follow a secret of its own instead of the master secret', () => {
    const stack = new Stack(newApp(), 'App');
    const secret = new secretsmanager.Secret(stack, 'MigrationRole') as secretsmanager.ISecret;
    const cluster = newCluster(stack);
    const migrations = new Migrations(stack, 'Migrations', { cluster, secret, directory: sameFolderOf(ONE) });
    const { Ref } = stack.resolve(secret.secretArn) as { Ref: string };
    expect(migrations.head).toBe('0001_first');
    expect(resourceOf(stack, CUSTOM).Properties['SecretArn']).toEqual({ Ref });
    expect(statementsOf(stack, 'MigrationsRunner').at(-1)).toMatchObject({ Resource: { Ref } });
    expect(JSON.stringify(statementsOf(stack, 'MigrationsRunner'))).not.toContain('DatabaseSecret');
  });

  it('match the six characters that Secrets Manager adds to an imported name', () => {
    const stack = new Stack(newApp(), 'App');
    const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'MigrationRole', 'forerun/role');
    const cluster = newCluster(stack);
    const migrations = new Migrations(stack, 'Migrations', { cluster, secret, directory: sameFolderOf(ONE) });
    expect(migrations.head).toBe('0001_first');
    expect(JSON.stringify(statementsOf(stack, 'MigrationsRunner').at(-1))).toContain(
      'secret:forerun/role-??????',
    );
  });

  it('add the key of a secret that has one of its own, through Secrets Manager only', () => {
    const stack = new Stack(newApp(), 'App');
    const encryptionKey = new kms.Key(stack, 'Key');
    const secret = new secretsmanager.Secret(stack, 'MigrationRole', {
      encryptionKey,
    }) as secretsmanager.ISecret;
    const cluster = newCluster(stack);
    const migrations = new Migrations(stack, 'Migrations', { cluster, secret, directory: sameFolderOf(ONE) });
    expect(migrations.head).toBe('0001_first');
    expect(statementsOf(stack, 'MigrationsRunner').at(-1)).toEqual({
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: stack.resolve(encryptionKey.keyArn) as unknown,
      Condition: {
        StringEquals: {
          'kms:ViaService': {
            'Fn::Join': ['', ['secretsmanager.', { Ref: 'AWS::Region' }, '.amazonaws.com']],
          },
        },
      },
    });
  });

  it('follow the secret that RDS manages', () => {
    const { stack } = newStack({ cluster: { manageMasterUserPassword: true } });
    const managed = { 'Fn::GetAtt': ['DatabaseB269D8BB', 'MasterUserSecret.SecretArn'] };
    expect(resourceOf(stack, CUSTOM).Properties['SecretArn']).toEqual(managed);
    expect(statementsOf(stack, 'MigrationsRunner').at(-1)).toMatchObject({ Resource: managed });
  });

  it('let the runner tell one event bus, where it is asked for', () => {
    const stack = new Stack(newApp(), 'App');
    const eventBus = new events.EventBus(stack, 'Bus') as events.IEventBus;
    const cluster = newCluster(stack);
    const migrations = new Migrations(stack, 'Migrations', {
      cluster,
      eventBus,
      directory: sameFolderOf(ONE),
    });
    expect(migrations.head).toBe('0001_first');
    const busArn = stack.resolve(eventBus.eventBusArn) as unknown;
    expect(statementsOf(stack, 'MigrationsRunner').at(-1)).toEqual({
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Resource: busArn,
    });
    expect(JSON.stringify(statementsOf(stack, 'MigrationsGate'))).not.toContain('events:');
    const { Properties } = resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsRunner');
    expect(Properties['Environment']).toMatchObject({ Variables: { FORERUN_EVENT_BUS: busArn } });
  });

  it('go to the role and the log group that are given', () => {
    const stack = new Stack(newApp(), 'App');
    const role = new iam.Role(stack, 'Own', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const logGroup = new logs.LogGroup(stack, 'OwnLogs');
    const cluster = newCluster(stack);
    const migrations = new Migrations(stack, 'Migrations', {
      cluster,
      role,
      logGroup,
      directory: sameFolderOf(ONE),
    });
    expect(migrations.runner.role).toBe(role);
    expect(JSON.stringify(statementsOf(stack, 'Own'))).toContain('rds-data:BeginTransaction');
    expect(JSON.stringify(statementsOf(stack, 'Own')[0])).toContain('OwnLogs');
    const groups = Object.values(resourcesOf(stack)).filter(({ Type }) => Type === 'AWS::Logs::LogGroup');
    expect(groups).toHaveLength(2);
  });
});
