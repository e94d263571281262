import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Migrations } from './migrations.ts';

export interface MigrationsAlarmsProps {
  /** What to watch. */
  readonly migrations: Migrations;

  /**
   * Who is told, when an alarm goes off and when it is over.
   *
   * @default - nobody; the alarms only show
   */
  readonly actions?: readonly cloudwatch.IAlarmAction[];
}

/** The four things about migrations that somebody has to look at. */
export class MigrationsAlarms extends Construct {
  /** A deploy was failed by its migrations, or by what keeps them from running. */
  readonly deployFailed: cloudwatch.Alarm;
  /** A run, also one by hand, did not reach its goal. */
  readonly failed: cloudwatch.Alarm;
  /** A rollback left the database ahead of the release in use. It stays on until a deploy has brought them together. */
  readonly databaseAhead: cloudwatch.Alarm;
  /** A backfill is paused or failed. It stays on until a person lets the backfill go on, or gives it up. */
  readonly backfillStopped: cloudwatch.Alarm;

  constructor(scope: Construct, id: string, { migrations, actions = [] }: MigrationsAlarmsProps) {
    super(scope, id);
    const { path } = migrations.node;
    const { NOT_BREACHING, IGNORE } = cloudwatch.TreatMissingData;
    this.deployFailed = this.alarm('DeployFailed', migrations.metricDeployFailed(), {
      alarmDescription: `Forerun (${path}) failed a deploy. The reason stands in the events of the stack.`,
      treatMissingData: NOT_BREACHING,
    });
    this.failed = this.alarm('Failed', migrations.metricFailed(), {
      alarmDescription: `A run of Forerun (${path}) failed. Its log and the action "history" tell why.`,
      treatMissingData: NOT_BREACHING,
    });
    this.databaseAhead = this.alarm('DatabaseAhead', migrations.metricDatabaseAhead(), {
      alarmDescription: `The database of Forerun (${path}) is ahead of the release in use. Deploy the newer release, mended; the action "status" lists what it has.`,
      // Between two deploys nobody measures, and what was so stays so.
      treatMissingData: IGNORE,
    });
    this.backfillStopped = this.alarm('BackfillStopped', migrations.metricBackfillsStopped(), {
      alarmDescription: `A backfill of Forerun (${path}) is paused or failed. The action "backfills" tells which and why; "resume", "retry" and "cancel" end this.`,
      treatMissingData: IGNORE,
    });
    for (const alarm of [this.deployFailed, this.failed, this.databaseAhead, this.backfillStopped]) {
      alarm.addAlarmAction(...actions);
      alarm.addOkAction(...actions);
    }
  }

  private alarm(
    id: string,
    metric: cloudwatch.Metric,
    options: Pick<cloudwatch.CreateAlarmOptions, 'alarmDescription' | 'treatMissingData'>,
  ): cloudwatch.Alarm {
    return metric.createAlarm(this, id, { ...options, threshold: 1, evaluationPeriods: 1 });
  }
}
