import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { MetricName } from '../lambda/contract.ts';
import { metricOf } from './metrics.ts';

/** What a runner, its gate and its worker measure. */
export abstract class Measured extends Construct {
  /** The function under whose name the metrics are kept. */
  abstract readonly runner: lambda.Function;

  /** A metric of this runner by its name, over five minutes. */
  metric(name: MetricName, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return metricOf(this.runner.functionName, name, options);
  }

  /** Migrations that runs committed. */
  metricApplied(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('Applied', options);
  }

  /** Migrations that runs took back. */
  metricReverted(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('Reverted', options);
  }

  /** Runs that did not reach their goal, also those by hand. */
  metricFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('Failed', options);
  }

  /** Deploys that the gate failed, for whatever reason. */
  metricDeployFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('DeployFailed', options);
  }

  /** Deploys that went on although the migrations after the app is live are not done. */
  metricAfterFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('AfterFailed', options);
  }

  /** Migrations that the database has and the release in use does not, as the last deploy or rollback found it. */
  metricDatabaseAhead(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('DatabaseAhead', options);
  }

  /** Milliseconds of the longest run. */
  metricDuration(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('Duration', options);
  }

  /** Data API calls of runs. */
  metricDataApiCalls(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('DataApiCalls', options);
  }

  /** Milliseconds of the longest wait for another run. */
  metricLeaseWait(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('LeaseWait', options);
  }

  /** Rows that the statements of committed runs wrote. */
  metricRows(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('Rows', options);
  }

  /** Rows that backfills changed. */
  metricBackfillRows(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('BackfillRows', options);
  }

  /** Batches of backfills. */
  metricBackfillBatches(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('BackfillBatches', options);
  }

  /** Milliseconds of the longest batch. */
  metricBackfillBatchDuration(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('BackfillBatchDuration', options);
  }

  /** Percent of the rows that the backfill furthest behind has looked at. */
  metricBackfillProgress(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('BackfillProgress', options);
  }

  /** Seconds that the slowest backfill has to go. */
  metricBackfillEta(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('BackfillEta', options);
  }

  /** Backfills that are paused or failed, as the last run or the last order about backfills found it. */
  metricBackfillsStopped(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('BackfillsStopped', options);
  }
}
