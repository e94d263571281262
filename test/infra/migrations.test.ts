import { readdirSync } from 'node:fs';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { Migrations } from '../../infra/index.ts';
import { folderOf, migrationText } from './folder.ts';
import {
  CLUSTER_ARN,
  CUSTOM,
  ONE,
  SECRET_ARN,
  newCluster,
  newStack,
  plainStack,
  resourceOf,
  resourcesOf,
} from './stack.ts';

describe('Migrations', () => {
  it('tells the gate everything about the target, in the properties', () => {
    const { stack, migrations } = plainStack();
    const version = resourceOf(stack, 'AWS::Lambda::Version');
    const gate = resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsGate');
    expect(resourceOf(stack, CUSTOM).Properties).toEqual({
      ServiceToken: { 'Fn::GetAtt': [gate.id, 'Arn'] },
      ServiceTimeout: '1020',
      ContractVersion: '1',
      RunnerArn: { Ref: version.id },
      Head: '0001_first',
      Digest: migrations.digest,
      DeployId: 'deploy-1',
      ClusterArn: CLUSTER_ARN,
      SecretArn: SECRET_ARN,
      Database: 'app',
      History: 'default',
      Atomic: 'group',
      OnRollback: 'keep',
    });
    expect(migrations.head).toBe('0001_first');
  });

  it('carries the options on', () => {
    const { stack, migrations } = newStack({
      props: {
        database: 'other',
        history: 'billing',
        atomic: 'migration',
        onRollback: 'keep',
        runOn: 'migrations-changed',
        memorySize: 1024,
        architecture: lambda.Architecture.X86_64,
      },
    });
    expect(resourceOf(stack, CUSTOM).Properties).toMatchObject({
      Database: 'other',
      History: 'billing',
      Atomic: 'migration',
      DeployId: migrations.digest,
    });
    expect(resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsRunner').Properties).toMatchObject({
      MemorySize: 1024,
      Architectures: ['x86_64'],
      Environment: { Variables: { FORERUN_DATABASE: 'other', FORERUN_HISTORY: 'billing' } },
    });
  });

  it('gives the runner the time and the default target of an invoke by hand', () => {
    const { stack } = plainStack();
    expect(resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsRunner').Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Timeout: 660,
      MemorySize: 512,
      Architectures: ['arm64'],
      Environment: {
        Variables: {
          FORERUN_CLUSTER_ARN: CLUSTER_ARN,
          FORERUN_SECRET_ARN: SECRET_ARN,
          FORERUN_DATABASE: 'app',
          FORERUN_HISTORY: 'default',
        },
      },
    });
  });

  it('keeps the published version through a rollback', () => {
    const { stack } = plainStack();
    expect(resourceOf(stack, 'AWS::Lambda::Version')).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });

  it('keeps nameless logs when the stack goes', () => {
    const { stack } = plainStack();
    const groups = Object.values(resourcesOf(stack)).filter(({ Type }) => Type === 'AWS::Logs::LogGroup');
    expect(groups).toHaveLength(2);
    for (const group of groups) {
      expect(group.DeletionPolicy).toBe('Retain');
      expect(group.Properties).toEqual({ RetentionInDays: 365 });
    }
  });

  it('lets Lambda drop events that come too late', () => {
    const { stack } = plainStack();
    expect(resourceOf(stack, 'AWS::Lambda::EventInvokeConfig').Properties).toMatchObject({
      MaximumEventAgeInSeconds: 120,
      MaximumRetryAttempts: 1,
      Qualifier: '$LATEST',
    });
    expect(resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsGate').Properties).toMatchObject({
      Timeout: 900,
      MemorySize: 256,
    });
  });

  it('adds thirteen resources and no managed policy', () => {
    const { stack } = plainStack();
    const own = Object.entries(resourcesOf(stack)).filter(([id]) => id.startsWith('Migrations'));
    expect(own).toHaveLength(13);
    expect(JSON.stringify(own)).not.toContain('ManagedPolicyArns');
  });

  it('warns when nothing names the deploy', () => {
    const { stack, migrations } = newStack({ context: { 'forerun:deployId': '' }, props: { deployId: '' } });
    const found = Annotations.fromStack(stack).findWarning(
      '/App/Migrations',
      Match.stringLikeRegexp('Nothing names'),
    );
    // Under a build service, or with the temporary folder inside a repository, there is always a name.
    const named = resourceOf(stack, CUSTOM).Properties['DeployId'] !== migrations.digest;
    expect(found).toHaveLength(named ? 0 : 1);
  });

  it('does not warn when only changed migrations count', () => {
    const { stack } = newStack({ props: { deployId: '', runOn: 'migrations-changed' } });
    expect(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('Nothing names'))).toEqual(
      [],
    );
  });

  it('leaves nothing in the temporary folder', () => {
    const before = process.env.TMPDIR;
    const temporary = folderOf();
    try {
      process.env.TMPDIR = temporary;
      const stack = new Stack(new App({ outdir: folderOf() }), 'App');
      const migrations = new Migrations(stack, 'Migrations', {
        cluster: newCluster(stack),
        directory: folderOf(ONE),
      });
      expect(migrations.head).toBe('0001_first');
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });
});

describe('several Migrations', () => {
  it('stand side by side in one stack, each with its own history', () => {
    const { stack, database } = newStack();
    const second = new Migrations(stack, 'Billing', {
      cluster: database,
      directory: folderOf({ '0001_bills.ts': migrationText('base') }),
      history: 'billing',
    });
    const [first, other] = Object.values(resourcesOf(stack)).filter(({ Type }) => Type === CUSTOM);
    expect(first?.Properties).toMatchObject({ Head: '0001_first', History: 'default' });
    expect(other?.Properties).toMatchObject({
      Head: '0001_bills',
      History: 'billing',
      Digest: second.digest,
    });
    expect(first?.Properties['ServiceToken']).not.toEqual(other?.Properties['ServiceToken']);
  });
});
