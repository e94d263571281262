import { METRICS, type MetricName } from './contract.ts';

/**
 * Measurements as a line for the log: CloudWatch makes metrics of it by itself, so a function needs no right to send them.
 * Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
 */
export function metricLine(
  runner: string,
  values: Readonly<Partial<Record<MetricName, number | readonly number[]>>>,
  timestamp: number,
): object {
  const { namespace, dimension, units } = METRICS;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const names = Object.keys(values) as MetricName[];
  return {
    _aws: {
      Timestamp: timestamp,
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [[dimension]],
          Metrics: names.map((name) => ({ Name: name, Unit: units[name] })),
        },
      ],
    },
    [dimension]: runner,
    ...values,
  };
}
