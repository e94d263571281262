import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS, type MetricName } from '../lambda/contract.ts';

/** How a metric is summed up where nobody says otherwise: counts add up, times and distances have a worst case. */
const STATISTICS: Readonly<Record<MetricName, string>> = {
  Applied: cloudwatch.Stats.SUM,
  Reverted: cloudwatch.Stats.SUM,
  Failed: cloudwatch.Stats.SUM,
  Rows: cloudwatch.Stats.SUM,
  Duration: cloudwatch.Stats.MAXIMUM,
  DataApiCalls: cloudwatch.Stats.SUM,
  LeaseWait: cloudwatch.Stats.MAXIMUM,
  DatabaseAhead: cloudwatch.Stats.MAXIMUM,
  DeployFailed: cloudwatch.Stats.SUM,
  BackfillRows: cloudwatch.Stats.SUM,
  BackfillBatches: cloudwatch.Stats.SUM,
  BackfillBatchDuration: cloudwatch.Stats.MAXIMUM,
  BackfillProgress: cloudwatch.Stats.MINIMUM,
  BackfillEta: cloudwatch.Stats.MAXIMUM,
  BackfillsStopped: cloudwatch.Stats.MAXIMUM,
};

/** A metric of one runner, over five minutes unless the options say otherwise. */
export function metricOf(
  runnerName: string,
  name: MetricName,
  options: cloudwatch.MetricOptions = {},
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: METRICS.namespace,
    metricName: name,
    statistic: STATISTICS[name],
    period: Duration.minutes(5),
    ...options,
    dimensionsMap: { [METRICS.dimension]: runnerName },
  });
}
