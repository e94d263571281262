import { Aws, CfnOutput } from 'aws-cdk-lib';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as sns from 'aws-cdk-lib/aws-sns';
import { describe, expect, it } from 'vitest';
import { Template } from 'aws-cdk-lib/assertions';
import { MigrationsAlarms, MigrationsDashboard } from '../../infra/index.ts';
import { METRICS, type MetricName } from '../../lambda/contract.ts';
import { CUSTOM, newStack, resourceOf, resourcesOf } from './stack.ts';

describe('the metrics', () => {
  it('have a method each, and carry the name of the runner', () => {
    const { stack, migrations } = newStack();
    const runner = { Ref: resourceOf(stack, 'AWS::Lambda::Function', 'MigrationsRunner').id };
    for (const name of Object.keys(METRICS.units) as MetricName[]) {
      const metric = migrations[`metric${name}`]({ label: 'mine' });
      expect(stack.resolve(metric.toMetricConfig().metricStat)).toMatchObject({
        namespace: 'Forerun',
        metricName: name,
        dimensions: [{ name: 'Runner', value: runner }],
      });
      expect(metric.label).toBe('mine');
    }
  });
});

describe('the alarms', () => {
  it('tell a topic of failed deploys, failed runs, a database that stays ahead and stopped backfills', () => {
    const { stack, migrations } = newStack();
    const topic = new sns.Topic(stack, 'People');
    const alarms = new MigrationsAlarms(stack, 'Alarms', {
      migrations,
      actions: [new actions.SnsAction(topic)],
    });
    expect(alarms.node.children).toHaveLength(4);
    const made = Object.values(resourcesOf(stack)).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    const to = [stack.resolve(topic.topicArn) as unknown];
    expect(made.map(({ Properties }) => [Properties['MetricName'], Properties['TreatMissingData']])).toEqual([
      ['DeployFailed', 'notBreaching'],
      ['Failed', 'notBreaching'],
      ['DatabaseAhead', 'ignore'],
      ['BackfillsStopped', 'ignore'],
    ]);
    for (const { Properties } of made) {
      expect(Properties).toMatchObject({
        Threshold: 1,
        EvaluationPeriods: 1,
        AlarmActions: to,
        OKActions: to,
      });
    }
  });
});

describe('the dashboard', () => {
  it('shows every metric of each of its migrations', () => {
    const { stack, migrations } = newStack();
    const { dashboard } = new MigrationsDashboard(stack, 'Page', { migrations: [migrations] });
    expect(dashboard.node.path).toBe('App/Page/Dashboard');
    const body = JSON.stringify(resourceOf(stack, 'AWS::CloudWatch::Dashboard').Properties);
    expect(body).toContain('App/Migrations');
    for (const name of Object.keys(METRICS.units)) expect(body).toContain(`\\"Forerun\\",\\"${name}\\"`);
  });
});

describe('the attributes', () => {
  it('can be read by outputs', () => {
    const { stack, migrations } = newStack();
    const output = new CfnOutput(stack, 'Applied', {
      value: `${migrations.attribute('Applied')} ${Aws.REGION}`,
    });
    expect(output.node.path).toBe('App/Applied');
    const { id } = resourceOf(stack, CUSTOM);
    expect(Template.fromStack(stack).findOutputs('Applied')['Applied']).toEqual({
      Value: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [id, 'Applied'] }, ' ', { Ref: 'AWS::Region' }]] },
    });
  });
});
