import { readdirSync } from 'node:fs';
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, it } from 'vitest';
import { Migrations } from '../../infra/index.ts';
import { folderOf, migrationText } from './folder.ts';
import {
  newApp,
  newCluster,
  newStack,
  ONE,
  resourceOf,
  resourcesOf,
  statementsOf,
  waitsFor,
} from './stack.ts';

const CUSTOM = 'Custom::ForerunMigrations';
const CLUSTER_ARN = {
  'Fn::Join': [
    '',
    [
      'arn:',
      { Ref: 'AWS::Partition' },
      ':rds:',
      { Ref: 'AWS::Region' },
      ':',
      { Ref: 'AWS::AccountId' },
      ':cluster:',
      { Ref: 'DatabaseB269D8BB' },
    ],
  ],
};
const SECRET_ARN = { Ref: 'DatabaseSecretAttachmentE5D1B020' };

describe('Migrations', () => {
  it('tells the gate everything about the target, in the properties', () => {
    const { stack, migrations } = newStack();
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
    const { stack } = newStack();
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
    const { stack } = newStack();
    expect(resourceOf(stack, 'AWS::Lambda::Version')).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });

  it('keeps nameless logs when the stack goes', () => {
    const { stack } = newStack();
    const groups = Object.values(resourcesOf(stack)).filter(({ Type }) => Type === 'AWS::Logs::LogGroup');
    expect(groups).toHaveLength(2);
    for (const group of groups) {
      expect(group.DeletionPolicy).toBe('Retain');
      expect(group.Properties).toEqual({ RetentionInDays: 365 });
    }
  });

  it('lets Lambda drop events that come too late', () => {
    const { stack } = newStack();
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

  it('adds eleven resources and no managed policy', () => {
    const { stack } = newStack();
    const own = Object.entries(resourcesOf(stack)).filter(([id]) => id.startsWith('Migrations'));
    expect(own).toHaveLength(11);
    expect(JSON.stringify(own)).not.toContain('ManagedPolicyArns');
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

describe('the grants', () => {
  it('let the runner use one cluster, one secret and one log group', () => {
    const { stack } = newStack();
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
    const { stack } = newStack();
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
    const secret = new secretsmanager.Secret(stack, 'MigrationRole');
    const cluster = newCluster(stack);
    const migrations = new Migrations(stack, 'Migrations', { cluster, secret, directory: folderOf(ONE) });
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
    const migrations = new Migrations(stack, 'Migrations', { cluster, secret, directory: folderOf(ONE) });
    expect(migrations.head).toBe('0001_first');
    expect(JSON.stringify(statementsOf(stack, 'MigrationsRunner').at(-1))).toContain(
      'secret:forerun/role-??????',
    );
  });

  it('add the key of a secret that has one of its own, through Secrets Manager only', () => {
    const stack = new Stack(newApp(), 'App');
    const encryptionKey = new kms.Key(stack, 'Key');
    const secret = new secretsmanager.Secret(stack, 'MigrationRole', { encryptionKey });
    const cluster = newCluster(stack);
    const migrations = new Migrations(stack, 'Migrations', { cluster, secret, directory: folderOf(ONE) });
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

  it('go to the role and the log group that are given', () => {
    const stack = new Stack(newApp(), 'App');
    const role = new iam.Role(stack, 'Own', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const logGroup = new logs.LogGroup(stack, 'OwnLogs');
    const cluster = newCluster(stack);
    const migrations = new Migrations(stack, 'Migrations', {
      cluster,
      role,
      logGroup,
      directory: folderOf(ONE),
    });
    expect(migrations.runner.role).toBe(role);
    expect(JSON.stringify(statementsOf(stack, 'Own'))).toContain('rds-data:BeginTransaction');
    expect(JSON.stringify(statementsOf(stack, 'Own')[0])).toContain('OwnLogs');
    const groups = Object.values(resourcesOf(stack)).filter(({ Type }) => Type === 'AWS::Logs::LogGroup');
    expect(groups).toHaveLength(2);
  });
});

describe('the order of a deploy', () => {
  it('waits for cluster, writer, secret, grants and event limits, but not for readers', () => {
    const { stack } = newStack();
    const waiting = waitsFor(stack, resourceOf(stack, CUSTOM).id);
    const types = [...waiting].map((id) => resourcesOf(stack)[id]?.Type);
    expect(waiting).toContain('DatabaseB269D8BB');
    expect(waiting).toContain('DatabaseWriter7794273E');
    expect([...waiting].filter((id) => id.startsWith('DatabaseAReader'))).toEqual([]);
    expect(types).toContain('AWS::SecretsManager::SecretTargetAttachment');
    expect(types).toContain('AWS::Lambda::EventInvokeConfig');
    expect(types.filter((type) => type === 'AWS::IAM::Policy')).toHaveLength(2);
  });

  it('waits for the attachment of a secret that was given unattached', () => {
    const stack = new Stack(newApp(), 'App');
    const cluster = newCluster(stack);
    const secret = new rds.DatabaseSecret(stack, 'MigrationRole', { username: 'migrator' });
    const attachment = secret.attach(cluster);
    const migrations = new Migrations(stack, 'Migrations', { cluster, secret, directory: folderOf(ONE) });
    const logicalId = stack.getLogicalId(attachment.node.defaultChild as CfnResource);
    expect(migrations.node.path).toBe('App/Migrations');
    expect(resourceOf(stack, CUSTOM).DependsOn).toContain(logicalId);
  });

  it('holds an alias and neither its version nor its function', () => {
    const { stack, migrations } = newStack();
    migrations.runBefore(newFunction(stack).addAlias('live'));
    const { id } = resourceOf(stack, CUSTOM);
    expect(resourceOf(stack, 'AWS::Lambda::Alias').DependsOn).toEqual([id]);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::Lambda::Version', 'Code').id)).not.toContain(id);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::Lambda::Function', 'Code').id)).not.toContain(id);
  });

  it('holds of a function the function alone, not its role', () => {
    const { stack, migrations } = newStack();
    migrations.runBefore(newFunction(stack));
    const { id } = resourceOf(stack, CUSTOM);
    expect(resourceOf(stack, 'AWS::Lambda::Function', 'Code').DependsOn).toContain(id);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::IAM::Role', 'Code').id)).not.toContain(id);
  });

  it('holds of an ECS service the service alone', () => {
    const { stack, database, migrations } = newStack();
    const taskDefinition = new ecs.FargateTaskDefinition(stack, 'Task');
    taskDefinition.addContainer('app', { image: ecs.ContainerImage.fromRegistry('app') });
    const service = new ecs.FargateService(stack, 'Service', {
      cluster: new ecs.Cluster(stack, 'Services', { vpc: database.vpc }),
      taskDefinition,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    });
    migrations.runBefore(service);
    const { id } = resourceOf(stack, CUSTOM);
    expect(resourceOf(stack, 'AWS::ECS::Service').DependsOn).toContain(id);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::ECS::TaskDefinition').id)).not.toContain(id);
    expect(waitsFor(stack, resourceOf(stack, 'AWS::EC2::SecurityGroup', 'Service').id)).not.toContain(id);
  });

  it('holds everything of any other construct, also what comes later', () => {
    const { stack, migrations } = newStack();
    const group = new logs.LogGroup(stack, 'Group');
    const bare = new CfnResource(stack, 'Bare', { type: 'Test::Bare' });
    migrations.runBefore(group, bare);
    group.addStream('Late');
    const { id } = resourceOf(stack, CUSTOM);
    expect(resourceOf(stack, 'AWS::Logs::LogGroup', 'Group').DependsOn).toEqual([id]);
    expect(resourceOf(stack, 'AWS::Logs::LogStream').DependsOn).toEqual([id]);
    expect(resourceOf(stack, 'Test::Bare').DependsOn).toEqual([id]);
  });

  it('reaches over to another stack', () => {
    const { stack, migrations } = newStack();
    const other = new Stack(stack.node.root as App, 'Other');
    migrations.runBefore(newFunction(other).addAlias('live'));
    (stack.node.root as App).synth();
    expect(other.dependencies).toContain(stack);
  });
});

describe('what a change touches', () => {
  it('is the runner, its version, head and digest, for a new migration', () => {
    const [one, two] = [ONE, { ...ONE, '0002_second.ts': migrationText('0001_first') }].map(
      (files) => newStack({ files }).stack,
    );
    const changed = changesBetween(one, two);
    expect(changed.filter((id) => !id.includes('CurrentVersion'))).toEqual([
      resourceOf(stackOf(one), CUSTOM).id,
      resourceOf(stackOf(one), 'AWS::Lambda::Function', 'MigrationsRunner').id,
    ]);
    const versions = [one, two].map((stack) => resourceOf(stackOf(stack), 'AWS::Lambda::Version').id);
    expect(versions[0]).not.toBe(versions[1]);
  });

  it('is nothing of ours, for a new version of the app', () => {
    const [one, two] = ['1', '2'].map((version) => {
      const { stack, migrations } = newStack();
      migrations.runBefore(newFunction(stack, { version }).addAlias('live'));
      return stack;
    });
    const changed = changesBetween(one, two);
    expect(changed.some((id) => id.startsWith('Code'))).toBe(true);
    expect(changed.filter((id) => id.startsWith('Migrations'))).toEqual([]);
  });

  it('is one property, for a new deploy', () => {
    const [one, two] = ['deploy-1', 'deploy-2'].map((deployId) => newStack({ props: { deployId } }).stack);
    expect(changesBetween(one, two)).toEqual([resourceOf(stackOf(one), CUSTOM).id]);
  });

  it('is nothing, for a new deploy with the same migrations where only those count', () => {
    const [one, two] = ['deploy-1', 'deploy-2'].map(
      (deployId) => newStack({ props: { deployId, runOn: 'migrations-changed' } }).stack,
    );
    expect(changesBetween(one, two)).toEqual([]);
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

describe('a cluster', () => {
  it('has its Data API switched on where it did not say', () => {
    const { stack } = newStack();
    expect(resourceOf(stack, 'AWS::RDS::DBCluster').Properties['EnableHttpEndpoint']).toBe(true);
  });

  it('may lie in another stack', () => {
    const app = newApp();
    const data = new Stack(app, 'Data');
    const stack = new Stack(app, 'App');
    const migrations = new Migrations(stack, 'Migrations', {
      cluster: newCluster(data),
      directory: folderOf(ONE),
    });
    expect(migrations.head).toBe('0001_first');
    app.synth();
    expect(stack.dependencies).toContain(data);
    expect(resourceOf(data, 'AWS::RDS::DBCluster').Properties['EnableHttpEndpoint']).toBe(true);
  });

  it('may be imported with secret, Data API and the name of a database', () => {
    const { stack, cluster } = importedCluster({ dataApiEnabled: true, withSecret: true });
    const migrations = new Migrations(stack, 'Migrations', {
      cluster,
      database: 'app',
      directory: folderOf(ONE),
    });
    expect(migrations.head).toBe('0001_first');
    expect(JSON.stringify(resourceOf(stack, CUSTOM).Properties['ClusterArn'])).toContain(':cluster:imported');
  });

  it('is refused when its Data API is off', () => {
    expect(() => newStack({ cluster: { enableDataApi: false } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': the Data API of the cluster 'App/Database' is off. The database was not touched. Set 'enableDataApi: true' on the cluster.`,
      ),
    );
  });

  it('is refused when nothing says which database to migrate', () => {
    const { stack, cluster } = importedCluster({ dataApiEnabled: true, withSecret: true });
    expect(() => new Migrations(stack, 'Migrations', { cluster, directory: folderOf(ONE) })).toThrow(
      misuse(
        `Migrations 'App/Migrations': nothing says which database of the cluster 'App/Database' to migrate. The database was not touched. Give its name as 'database'.`,
      ),
    );
  });

  it('is refused when it was imported without a secret', () => {
    const { stack, cluster } = importedCluster({ dataApiEnabled: true, withSecret: false });
    expect(
      () => new Migrations(stack, 'Migrations', { cluster, database: 'app', directory: folderOf(ONE) }),
    ).toThrow(
      misuse(
        `Migrations 'App/Migrations': nothing says with which secret to log in to the cluster 'App/Database'. The database was not touched. Give it as 'secret', or import the cluster with its 'secret'.`,
      ),
    );
  });

  it('is refused when it was imported without word of its Data API', () => {
    const { stack, cluster } = importedCluster({ withSecret: true });
    expect(
      () => new Migrations(stack, 'Migrations', { cluster, database: 'app', directory: folderOf(ONE) }),
    ).toThrow(
      misuse(
        `Migrations 'App/Migrations': the Data API is not known to be on for the imported cluster 'App/Database'. The database was not touched. Switch it on (aws rds enable-http-endpoint) and import the cluster with 'dataApiEnabled: true'.`,
      ),
    );
  });
});

describe('a property that cannot work', () => {
  it('is a folder that is not there', () => {
    expect(() => newStack({ props: { directory: 'no-such-folder' } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': there is no folder 'no-such-folder'. The database was not touched. Let 'directory' name the folder with your migrations; a relative path counts from where synth runs.`,
      ),
    );
  });

  it('is a history that the runner would not take', () => {
    expect(() => newStack({ props: { history: "it's" } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': 'it's' cannot name a history. The database was not touched. Let 'history' be 1 to 64 letters, digits, dots, dashes and underscores.`,
      ),
    );
  });

  it('is a deploy id that the runner would not take', () => {
    expect(() => newStack({ props: { deployId: 'x'.repeat(257) } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': the deploy id has 257 characters. The database was not touched. Give a 'deployId' of at most 256 characters, for example the commit.`,
      ),
    );
  });

  it('is a history of migrations that is not sound, in the words of the bundling', () => {
    expect(() => newStack({ files: { ...ONE, '0002_second.ts': migrationText('gone') } })).toThrow(
      expect.objectContaining({ code: 'history-missing-parent' }),
    );
  });
});

function newFunction(stack: Stack, environment: Record<string, string> = {}): lambda.Function {
  return new lambda.Function(stack, 'Code', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => 1;'),
    environment,
  });
}

function importedCluster({ dataApiEnabled, withSecret }: { dataApiEnabled?: boolean; withSecret: boolean }) {
  const stack = new Stack(newApp(), 'App');
  const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'imported');
  const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Database', {
    clusterIdentifier: 'imported',
    ...(dataApiEnabled === undefined ? {} : { dataApiEnabled }),
    ...(withSecret ? { secret } : {}),
  });
  return { stack, cluster };
}

function stackOf(stack: Stack | undefined): Stack {
  return stack ?? expect.unreachable('there is no stack');
}

/** Logical ids that one template has and the other has not, or not the same. */
function changesBetween(one: Stack | undefined, other: Stack | undefined): readonly string[] {
  const [before, after] = [resourcesOf(stackOf(one)), resourcesOf(stackOf(other))];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((id) => JSON.stringify(before[id]) !== JSON.stringify(after[id]))
    .sort();
}

function misuse(message: string): unknown {
  return expect.objectContaining({ code: 'construct-misused', message });
}
