import { Aws, Duration, Fn, Lazy, NestedStack, RemovalPolicy, Stack, Stage, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, it } from 'vitest';
import { Migrations } from '../../infra/index.ts';
import { sameFolderOf, migrationText } from './folder.ts';
import {
  CUSTOM,
  ONE,
  misuse,
  newApp,
  newCluster,
  newStack,
  resourceOf,
  resourcesOf,
  statementsOf,
} from './stack.ts';

const ANYTHING = `{ '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }`;
const TAKING_ALL = {
  '0001_first.ts': migrationText('base').replace('"base",', `"base", params: ${ANYTHING},`),
};

describe('what migrations are told', () => {
  it('travels with the deploy, and is the default of an invoke by hand', () => {
    const { stack } = newStack({
      files: TAKING_ALL,
      props: { environment: 'production', params: { batch: 5, dry: false, who: { name: 'ann' } } },
    });
    const text = '{"batch":5,"dry":false,"who":{"name":"ann"}}';
    expect(resourceOf(stack, CUSTOM).Properties).toMatchObject({ Environment: 'production', Params: text });
    expect(resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsRunner').Properties).toMatchObject({
      Environment: { Variables: { FORERUN_ENVIRONMENT: 'production', FORERUN_PARAMS: text } },
    });
  });

  it('may hold texts that only the deploy knows: they travel beside the JSON, and cannot break out of it', () => {
    const { stack } = newStack({ props: { params: { in: [Aws.REGION], id: `a-${Aws.ACCOUNT_ID}`, n: 1 } } });
    const json = '{"in":[{"forerun:text":0}],"id":{"forerun:text":1},"n":1}';
    const texts = [{ Ref: 'AWS::Region' }, { 'Fn::Join': ['', ['a-', { Ref: 'AWS::AccountId' }]] }];
    expect(resourceOf(stack, CUSTOM).Properties).toMatchObject({ Params: json, ParamTexts: texts });
    expect(resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsRunner').Properties).toMatchObject({
      Environment: {
        Variables: {
          FORERUN_PARAMS: json,
          FORERUN_PARAMS_TEXT_0: texts[0],
          FORERUN_PARAMS_TEXT_1: texts[1],
        },
      },
    });
  });

  it.each([
    ['a number', { limits: { rows: Token.asNumber({ Ref: 'Rows' }) } }, /'params.limits.rows' is known to/],
    ['a list', { all: Fn.split(',', Aws.REGION) }, /'params.all' is known to the deploy only, and no text/],
    ['anything', { any: Lazy.any({ produce: () => ({}) }) }, /Token\.asString/],
    ['a name', { [`a-${Aws.REGION}`]: 1 }, /a name in 'params' is/],
    ['our own mark', { a: { 'forerun:text': 0 } }, /a name in 'params.a' is/],
  ])('may hold nothing else that only the deploy knows: %s', (_what, params, message) => {
    expect(() => newStack({ props: { params } })).toThrow(message);
  });

  it.each([
    [{ big: 'x'.repeat(4000) }, /'params' has 4010 bytes/],
    [{ number: 5n }, /'params' cannot be written as JSON/],
    [{ day: new Date(0) }, /'params' cannot be written as JSON/],
    [{ nothing: undefined }, /'params' cannot be written as JSON/],
  ])('is refused where Lambda would refuse it, or it would not arrive as it is: %#', (params, message) => {
    expect(() => newStack({ props: { params } })).toThrow(message);
  });

  it('is refused as a parameter that no migration asks for', () => {
    expect(() => newStack({ props: { params: { batch: 5 } } })).toThrow(
      /No migration asks for the parameter "batch"/,
    );
  });

  it('is refused as an environment that is not among the declared ones, in the construct and in a migration', () => {
    const environments = ['development', 'production'];
    expect(() => newStack({ props: { environment: 'prodution', environments } })).toThrow(
      /'environment' is 'prodution', which is none of development, production; "production" is probably meant/,
    );
    const limited = {
      '0001_first.ts': migrationText('base').replace('"base",', '"base", environments: ["prodction"],'),
    };
    expect(() => newStack({ files: limited, props: { environment: 'production', environments } })).toThrow(
      /0001_first is limited to the environment 'prodction', which is none of development, production; "production" is probably meant/,
    );
    expect(() => newStack({ files: limited, props: { environment: 'production' } })).not.toThrow();
  });

  it('is refused as an environment without a name', () => {
    expect(() => newStack({ props: { environment: '' } })).toThrow(/'' cannot name an environment/);
  });
});

describe('the time', () => {
  it('is told to the gate in whole seconds', () => {
    const { stack } = newStack({ props: { timeout: Duration.minutes(5) } });
    expect(resourceOf(stack, CUSTOM).Properties['Timeout']).toBe('300');
  });

  it.each([
    [Duration.seconds(59), '59 seconds'],
    [Duration.minutes(61), '1 hour 1 minute'],
  ])('is refused outside of the time table: %s', (timeout, shown) => {
    expect(() => newStack({ props: { timeout } })).toThrow(
      misuse(
        `Migrations 'App/Migrations': the migrations of a deploy cannot be given ${shown}. The database was not touched. Let 'timeout' be between 60 seconds and 60 minutes, and make a backfill of what needs longer.`,
      ),
    );
  });
});

describe('the functions', () => {
  it('take roles, a key, a retention and a removal policy', () => {
    const stack = new Stack(newApp(), 'App');
    const role = (id: string) =>
      new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    const encryptionKey = new kms.Key(stack, 'Key') as kms.IKey;
    const migrations = new Migrations(stack, 'Migrations', {
      cluster: newCluster(stack),
      directory: sameFolderOf(ONE),
      role: role('RunnerRole'),
      gateRole: role('GateRole'),
      encryptionKey,
      logRetention: logs.RetentionDays.ONE_WEEK,
      versionRemovalPolicy: RemovalPolicy.DESTROY,
    });
    const own = Object.entries(resourcesOf(stack)).filter(([id]) => id.startsWith('Migrations'));
    expect(migrations.head).toBe('0001_first');
    expect(own.filter(([, { Type }]) => Type === 'AWS::IAM::Role')).toEqual([]);
    expect(JSON.stringify(statementsOf(stack, 'GateRole'))).toContain('lambda:InvokeFunction');
    const key = stack.resolve(encryptionKey.keyArn) as unknown;
    const groups = own.filter(([, { Type }]) => Type === 'AWS::Logs::LogGroup');
    expect(groups.map(([, { Properties }]) => Properties)).toEqual([
      { RetentionInDays: 7, KmsKeyId: key },
      { RetentionInDays: 7, KmsKeyId: key },
    ]);
    expect(resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsRunner').Properties['KmsKeyArn']).toEqual(
      key,
    );
    expect(JSON.stringify(resourceOf(stack, 'AWS::KMS::Key').Properties)).toContain('"ForerunLogs"');
    expect(resourceOf(stack, 'AWS::Lambda::Version').DeletionPolicy).toBe('Delete');
  });

  it('live under a permissions boundary', () => {
    const { stack } = newStack();
    const boundary = iam.ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'everyone');
    iam.PermissionsBoundary.of(stack).apply(boundary);
    const roles = Object.entries(resourcesOf(stack)).filter(
      ([id, { Type }]) => Type === 'AWS::IAM::Role' && id.startsWith('Migrations'),
    );
    expect(roles).toHaveLength(2);
    for (const [, { Properties }] of roles) expect(Properties).toHaveProperty('PermissionsBoundary');
  });

  it('may read the secrets that migrations name', () => {
    const stack = new Stack(newApp(), 'App');
    const secret = new secretsmanager.Secret(stack, 'AppPassword') as secretsmanager.ISecret;
    const cluster = newCluster(stack);
    const migrations = new Migrations(stack, 'Migrations', {
      cluster,
      secrets: [secret],
      directory: sameFolderOf(ONE),
    });
    expect(migrations.head).toBe('0001_first');
    expect(statementsOf(stack, 'MigrationsRunner').at(-1)).toEqual({
      Effect: 'Allow',
      Action: 'secretsmanager:GetSecretValue',
      Resource: stack.resolve(secret.secretArn) as unknown,
    });
  });
});

describe('the aliases', () => {
  it('stand on the version with these migrations', () => {
    const { stack } = newStack();
    const version = resourceOf(stack, 'AWS::Lambda::Version').id;
    const aliases = Object.values(resourcesOf(stack)).filter(({ Type }) => Type === 'AWS::Lambda::Alias');
    expect(aliases.map(({ Properties }) => [Properties['Name'], Properties['FunctionVersion']])).toEqual([
      ['read', { 'Fn::GetAtt': [version, 'Version'] }],
      ['act', { 'Fn::GetAtt': [version, 'Version'] }],
    ]);
  });

  it.each([
    ['grantRead' as const, 'Read'],
    ['grantAct' as const, 'Act'],
  ])('%s grants one of them and nothing else', (grant, id) => {
    const { stack, migrations } = newStack();
    const person = new iam.Role(stack, 'Person', { assumedBy: new iam.AccountRootPrincipal() });
    migrations[grant](person);
    const { id: alias } = resourceOf(stack, 'AWS::Lambda::Alias', `Migrations${id}`);
    expect(statementsOf(stack, 'Person')).toEqual([
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: { Ref: alias } },
    ]);
  });
});

describe('a nested stack', () => {
  it('gets the deploy id as a parameter, so that its template stays the same', () => {
    const [one, two] = ['a', 'b'].map((deployId) => {
      const parent = new Stack(newApp(), 'Parent');
      const nested = new NestedStack(new NestedStack(parent, 'Middle'), 'Inner');
      const migrations = new Migrations(nested, 'Migrations', {
        cluster: newCluster(parent),
        directory: sameFolderOf(ONE),
        deployId,
      });
      expect(migrations.head).toBe('0001_first');
      const top = resourceOf(parent, 'AWS::CloudFormation::Stack').Properties['Parameters'];
      expect(Object.values(top as object)).toContain(deployId);
      return resourcesOf(nested);
    });
    expect(two).toEqual(one);
    expect(Object.values(one ?? {}).find(({ Type }) => Type === CUSTOM)?.Properties['DeployId']).toEqual({
      Ref: 'ForerunDeployId',
    });
  });
});

describe('a stage', () => {
  it('holds the same construct several times, once for each account', () => {
    const app = newApp();
    const heads = ['Test', 'Production'].map((name) => {
      const stage = new Stage(app, name, { env: { account: '111122223333', region: 'eu-west-1' } });
      const stack = new Stack(stage, 'App');
      const cluster = newCluster(stack);
      return new Migrations(stack, 'Migrations', { cluster, directory: sameFolderOf(ONE), deployId: 'a' })
        .head;
    });
    expect(heads).toEqual(['0001_first', '0001_first']);
    expect(app.synth().nestedAssemblies).toHaveLength(2);
  });
});

describe('a cluster that was restored from a snapshot', () => {
  it('needs a word on its database', () => {
    const stack = new Stack(newApp(), 'App');
    const { vpc } = newCluster(stack);
    const cluster = new rds.DatabaseClusterFromSnapshot(stack, 'Restored', {
      engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
      vpc,
      vpcSubnets: { subnets: vpc.isolatedSubnets },
      writer: rds.ClusterInstance.serverlessV2('Writer'),
      snapshotIdentifier: 'last-night',
    });
    const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'restored');
    const directory = sameFolderOf(ONE);
    expect(() => new Migrations(stack, 'One', { cluster, secret, directory })).toThrow(
      /nothing says which database/,
    );
    const migrations = new Migrations(stack, 'Two', { cluster, secret, database: 'app', directory });
    expect(migrations.head).toBe('0001_first');
  });
});
