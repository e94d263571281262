import { LocalError } from '../errors.ts';
import { startHttpServer } from '../http-server.ts';
import type { SecretLookup } from '../secrets-manager/secret-store.ts';
import { type CallEntry, CALLS_KEPT, callLog } from './call-log.ts';
import { serveCall } from './call.ts';
import type { Authorize } from './caller.ts';
import { type Clock, realClock } from '../clock.ts';
import { type ClusterOptions, clusterRegistry, type ServedCluster } from './clusters.ts';
import { type Faults, faultBox } from './faults.ts';
import { LIMITS } from './request.ts';
import { sessionPool } from './session-pool.ts';
import { DEFAULT_SWITCHES, type Switches } from './switches.ts';
import { transactionStore } from './transactions.ts';

export interface DataApiOptions {
  /** The server behind the clusters that name none of their own. Users and passwords come from the secrets. */
  readonly postgres?: { readonly host: string; readonly port: number };
  /** Port of 127.0.0.1. Default: a free one. */
  readonly port?: number;
  readonly clusters: readonly ClusterOptions[];
  readonly secrets: SecretLookup;
  /** What limits are measured with. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: 45 s. */
  readonly statementLimitMs?: number;
  /** How long a transaction may stand idle. Default: 3 min. */
  readonly idleLimitMs?: number;
  /** How long a transaction may last. Default: 24 h. */
  readonly lifeLimitMs?: number;
  /** How long a paused cluster takes to wake. Default: 15 s. */
  readonly resumeMs?: number;
  readonly switches?: Partial<Switches>;
  /** Default: everybody may do everything. */
  readonly authorize?: Authorize;
  readonly onCall?: (entry: CallEntry) => void;
  /** How many of the last calls `calls()` remembers; when there are more, the older half is forgotten. Default: 20,000. */
  readonly callsKept?: number;
}

/** A running Data API. */
export interface LocalDataApi {
  /** For `AWS_ENDPOINT_URL_RDS_DATA`. */
  readonly url: string;
  readonly faults: Faults;
  /** The calls since the start or the last reset, in the order in which they were answered. */
  calls(): readonly CallEntry[];
  resetCalls(): void;
  addCluster(cluster: ClusterOptions): void;
  removeCluster(arn: string): void;
  /** Puts a cluster to sleep, as auto-pause does; throws while it has an open transaction. */
  pause(arn: string): void;
  /** Rolls back what is open and ends every session. */
  stop(): Promise<void>;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Serves the RDS Data API of Aurora Serverless v2 over a PostgreSQL server; `differences.ts` tells what is not the same. */
export async function startDataApi(options: DataApiOptions): Promise<LocalDataApi> {
  const clock = options.clock ?? realClock;
  const switches = { ...DEFAULT_SWITCHES, ...options.switches };
  const served = (cluster: ClusterOptions): ServedCluster => {
    const server = cluster.server ?? options.postgres;
    if (server === undefined)
      throw new LocalError('bad-option', `The cluster ${cluster.arn} names no PostgreSQL.`);
    return { ...cluster, server };
  };
  const clusters = clusterRegistry(options.clusters.map(served), {
    clock,
    resumeMs: options.resumeMs ?? 15 * SECOND,
  });
  const sessions = sessionPool({ keepPrepared: switches.keepPreparedStatements });
  const transactions = transactionStore({
    clock,
    idleMs: options.idleLimitMs ?? 3 * MINUTE,
    lifeMs: options.lifeLimitMs ?? 24 * HOUR,
  });
  const log = callLog(options.onCall, options.callsKept ?? CALLS_KEPT);
  const faults = faultBox();
  const context = {
    clusters,
    secrets: options.secrets,
    sessions,
    transactions,
    switches,
    clock,
    statementLimitMs: options.statementLimitMs ?? 45 * SECOND,
    authorize: options.authorize,
  };
  const server = await startHttpServer(
    async (request, response) => serveCall(context, { faults, log }, request, response),
    { keepBytes: LIMITS.requestBytes, ...(options.port === undefined ? {} : { port: options.port }) },
  );
  return {
    url: server.url,
    faults,
    calls: () => log.all(),
    resetCalls: () => {
      log.reset();
    },
    addCluster: (cluster) => {
      clusters.add(served(cluster));
    },
    removeCluster: (arn) => {
      clusters.remove(arn);
    },
    pause: (arn) => {
      clusters.pause(arn, transactions.openOn(arn));
    },
    async stop() {
      await server.close();
      faults.clear();
      await transactions.close();
      await sessions.close();
    },
  };
}
