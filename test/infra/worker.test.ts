import { Duration, type App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { acknowledgeFindings } from '../../infra/index.ts';
import { findings } from './findings.ts';
import { migrationText, type Files } from './folder.ts';
import { CUSTOM, newStack, plainStack, resourceOf, resourcesOf, statementsOf, waitsFor } from './stack.ts';

const BACKFILL: Files = {
  '0001_first.ts': migrationText('base', 'create table thing (id bigint primary key, n int)'),
  '0002_fill.ts': `import { backfill, bigint, integer, sql, table } from 'forerun';
export default backfill({
  after: '0001_first',
  table: table('thing', { id: bigint(), n: integer().nullable() }),
  key: 'id',
  where: sql\`n is null\`,
  set: { n: sql\`1\` },
  down: 'nothing to undo',
});
`,
};

const FUNCTION = 'AWS::Lambda::Function';
const WORKER = 'MigrationsWorker';

function serviceTimeoutWith(timeout: Duration): unknown {
  return resourceOf(newStack({ props: { timeout } }).stack, CUSTOM).Properties['ServiceTimeout'];
}

describe('the worker', () => {
  it('is not there where nothing can outlast the runner', () => {
    const { stack, migrations } = plainStack();
    expect(migrations.worker).toBeUndefined();
    expect(JSON.stringify(resourcesOf(stack))).not.toMatch(/Worker|Durable/);
    expect(resourceOf(stack, CUSTOM).Properties['WorkerArn']).toBeUndefined();
  });

  it.each([
    ['a backfill', { files: BACKFILL }],
    ['a timeout of more than eleven minutes', { props: { timeout: Duration.minutes(12) } }],
    ['its user', { props: { worker: true } }],
  ])('comes with %s, durable from its creation, as a version of its own', (_why, variant) => {
    const { stack } = newStack(variant);
    const { id, Properties } = resourceOf(stack, FUNCTION, WORKER);
    expect(Properties['DurableConfig']).toEqual({ ExecutionTimeout: 2_592_000, RetentionPeriodInDays: 14 });
    expect(Properties['Timeout']).toBe(900);
    const version = resourceOf(stack, 'AWS::Lambda::Version', `${WORKER}CurrentVersion`);
    expect(version.Properties['FunctionName']).toEqual({ Ref: id });
    expect(resourceOf(stack, CUSTOM).Properties['WorkerArn']).toEqual({ Ref: version.id });
    const runner = resourceOf(stack, FUNCTION, 'MigrationsRunner');
    expect(runner.Properties['Environment']).toMatchObject({
      Variables: { FORERUN_WORKER_ARN: { Ref: version.id } },
    });
  });

  it('is left out of a stack whose user wants none, and then nobody has an hour', () => {
    const { stack } = newStack({ files: BACKFILL, props: { worker: false } });
    expect(JSON.stringify(resourcesOf(stack))).not.toMatch(/Worker|Durable/);
    expect(() => newStack({ props: { worker: false, timeout: Duration.minutes(20) } })).toThrow(
      /cannot be given 20 minutes without a worker.*between 60 seconds and 11 minutes/s,
    );
  });

  it('may change the one database, keep its own records, and nothing else', () => {
    const { stack } = newStack({ files: BACKFILL });
    const { id } = resourceOf(stack, FUNCTION, WORKER);
    const own = { 'Fn::Join': ['', [{ 'Fn::GetAtt': [id, 'Arn'] }, ':*']] };
    const actions = statementsOf(stack, `${WORKER}Role`).flatMap(
      (one) => (one as { readonly Action: string | readonly string[] }).Action,
    );
    expect(actions).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'rds-data:BatchExecuteStatement',
      'rds-data:BeginTransaction',
      'rds-data:CommitTransaction',
      'rds-data:ExecuteStatement',
      'rds-data:RollbackTransaction',
      'secretsmanager:GetSecretValue',
    ]);
    expect(statementsOf(stack, `${WORKER}OwnGrants`)).toEqual([
      {
        Effect: 'Allow',
        Action: [
          'lambda:CheckpointDurableExecution',
          'lambda:GetDurableExecutionState',
          'lambda:InvokeFunction',
        ],
        Resource: own,
      },
    ]);
    expect(statementsOf(stack, 'MigrationsRunnerRole').at(-1)).toEqual({
      Effect: 'Allow',
      Action: ['lambda:GetDurableExecution', 'lambda:InvokeFunction'],
      Resource: own,
    });
  });

  it('is ready, grants included, before the first event reaches the gate', () => {
    const { stack } = newStack({ files: BACKFILL, props: { timeout: Duration.hours(1) } });
    const needed = waitsFor(stack, resourceOf(stack, CUSTOM).id);
    const parts = ['WorkerOwnGrants', 'WorkerRole', 'WorkerCurrentVersion', 'GateOwnGrants'];
    const missing = parts.filter((part) => ![...needed].some((one) => one.startsWith(`Migrations${part}`)));
    expect(missing).toEqual([]);
  });

  it('has CloudFormation wait for an hour at the most, and otherwise as long as the work may take', () => {
    expect(serviceTimeoutWith(Duration.minutes(11))).toBe('1020');
    expect(serviceTimeoutWith(Duration.minutes(20))).toBe('1380');
    expect(serviceTimeoutWith(Duration.hours(1))).toBe('3600');
    expect(() => newStack({ props: { timeout: Duration.minutes(61) } })).toThrow(
      /between 60 seconds and 60 minutes/,
    );
  });

  it('brings no finding of cdk-nag without a reason', () => {
    const { stack, migrations } = newStack({ files: BACKFILL, props: { timeout: Duration.hours(1) } });
    acknowledgeFindings(migrations);
    const app = stack.node.root as App;
    expect(findings(app).filter((finding) => finding.includes(' Migrations/'))).toEqual([]);
  });

  it('closes no circle, however long the deploy may take', () => {
    const { stack } = newStack({ files: BACKFILL, props: { timeout: Duration.hours(1) } });
    const resources = resourcesOf(stack);
    expect(Object.keys(resources).filter((id) => waitsFor(stack, id).has(id))).toEqual([]);
  });
});
