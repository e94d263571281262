import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Migrations } from './migrations.ts';

export interface MigrationsDashboardProps {
  /** What to show, each in rows of its own. */
  readonly migrations: readonly Migrations[];

  /**
   * Name of the dashboard, unique within an account.
   *
   * @default - one that CloudFormation makes up
   */
  readonly dashboardName?: string;
}

const WIDTH = 24;

/** A page about migrations: how far, how long, how often in vain. Its `dashboard` takes more widgets. */
export class MigrationsDashboard extends Construct {
  readonly dashboard: cloudwatch.Dashboard;

  constructor(scope: Construct, id: string, { migrations, dashboardName }: MigrationsDashboardProps) {
    super(scope, id);
    this.dashboard = new cloudwatch.Dashboard(
      this,
      'Dashboard',
      dashboardName === undefined ? {} : { dashboardName },
    );
    for (const one of migrations) this.dashboard.addWidgets(...rowsOf(one));
  }
}

function rowsOf(migrations: Migrations): readonly cloudwatch.IWidget[] {
  const graph = (title: string, ...left: readonly cloudwatch.IMetric[]): cloudwatch.IWidget =>
    new cloudwatch.GraphWidget({ title, left: [...left], width: WIDTH / 4 });
  return [
    new cloudwatch.TextWidget({
      markdown: `## ${migrations.node.path}\nHead of the last deploy: **${migrations.head}**`,
      width: WIDTH,
      height: 2,
    }),
    graph(
      'Migrations',
      migrations.metricApplied(),
      migrations.metricReverted(),
      migrations.metricDatabaseAhead(),
    ),
    graph('In vain', migrations.metricFailed(), migrations.metricDeployFailed()),
    graph('Time', migrations.metricDuration(), migrations.metricLeaseWait()),
    graph('Data API', migrations.metricDataApiCalls(), migrations.metricRows()),
    graph('Backfills: rows', migrations.metricBackfillRows(), migrations.metricBackfillBatches()),
    graph('Backfills: batches', migrations.metricBackfillBatchDuration()),
    graph('Backfills: progress', migrations.metricBackfillProgress(), migrations.metricBackfillsStopped()),
    graph('Backfills: seconds to go', migrations.metricBackfillEta()),
    new cloudwatch.LogQueryWidget({
      title: 'Ends of runs',
      logGroupNames: [migrations.runner.logGroup.logGroupName],
      queryLines: [
        'fields @timestamp, action, outcome, deployId, runId, rows, error.text.what',
        `filter note = 'ended'`,
        'sort @timestamp desc',
        'limit 20',
      ],
      width: WIDTH,
    }),
  ];
}
