import { LocalError } from '../errors.ts';
import type { Clock } from '../clock.ts';
import { ServiceError } from './service-error.ts';

/** A cluster the service knows. */
export interface ClusterOptions {
  readonly arn: string;
  /** Whether the Data API is switched on. Default: true. */
  readonly endpointEnabled?: boolean;
  /** Whether it has an instance; without one there is nothing to connect to. Default: true. */
  readonly hasInstance?: boolean;
  /** The PostgreSQL behind it. Default: the one of the service. */
  readonly server?: { readonly host: string; readonly port: number };
  /** Name the callers use → name on the server. Default: both are the same. */
  readonly databases?: Readonly<Record<string, string>>;
}

/** A cluster with the server it is served from. */
export interface ServedCluster extends ClusterOptions {
  readonly server: { readonly host: string; readonly port: number };
}

export interface Clusters {
  /** Adds a cluster, or replaces the one with this ARN. */
  add(cluster: ServedCluster): void;
  remove(arn: string): void;
  /** Puts the cluster to sleep; refused while `openTransactions` is not 0, as the real one never sleeps then. */
  pause(arn: string, openTransactions: number): void;
  /** The cluster, if it takes calls. Case counts in an ARN. */
  known(arn: string): ServedCluster;
  /** Refuses while the cluster sleeps or wakes; the first refusal wakes it. */
  refuseAsleep(arn: string): void;
}

type Waking = 'paused' | 'resuming';

export function clusterRegistry(
  initial: readonly ServedCluster[],
  waking: { readonly clock: Clock; readonly resumeMs: number },
): Clusters {
  const clusters = new Map(initial.map((cluster) => [cluster.arn, cluster]));
  const asleep = new Map<string, Waking>();
  return {
    add(cluster) {
      clusters.set(cluster.arn, cluster);
    },
    remove(arn) {
      clusters.delete(arn);
      asleep.delete(arn);
    },
    pause(arn, openTransactions) {
      if (!clusters.has(arn)) throw new LocalError('unknown-cluster', `There is no cluster ${arn}.`);
      if (openTransactions > 0)
        throw new LocalError('cluster-busy', 'A cluster with an open transaction never pauses.');
      asleep.set(arn, 'paused');
    },
    known(arn) {
      const cluster = clusters.get(arn);
      if (cluster === undefined || cluster.endpointEnabled === false) {
        throw new ServiceError(
          'HttpEndpointNotEnabledException',
          `HttpEndpoint is not enabled for resource ${arn}`,
        );
      }
      if (cluster.hasInstance === false) {
        throw new ServiceError('DatabaseNotFoundException', 'Cannot find DBInstance in DBCluster');
      }
      return cluster;
    },
    refuseAsleep(arn) {
      const state = asleep.get(arn);
      if (state === undefined) return;
      if (state === 'paused') {
        asleep.set(arn, 'resuming');
        waking.clock.after(waking.resumeMs, () => asleep.get(arn) === 'resuming' && asleep.delete(arn));
      }
      throw resuming(arn);
    },
  };
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html */
export function resuming(arn: string): ServiceError {
  const instance = arn.split(':').at(-1) ?? arn;
  return new ServiceError(
    'DatabaseResumingException',
    `The Aurora DB instance ${instance} is resuming after being auto-paused. Please wait a few seconds and try again.`,
  );
}
