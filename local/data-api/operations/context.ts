import type { SecretLookup } from '../../secrets-manager/secret-store.ts';
import type { Authorize } from '../caller.ts';
import type { Clock } from '../../clock.ts';
import type { Clusters } from '../clusters.ts';
import type { JsonObject } from '../json-members.ts';
import type { SessionPool } from '../session-pool.ts';
import type { Switches } from '../switches.ts';
import type { Transactions } from '../transactions.ts';

/** What every operation works with. */
export interface ServiceContext {
  readonly clusters: Clusters;
  readonly secrets: SecretLookup;
  readonly sessions: SessionPool;
  readonly transactions: Transactions;
  readonly switches: Switches;
  readonly clock: Clock;
  readonly statementLimitMs: number;
  readonly authorize: Authorize | undefined;
}

/** One call of an operation. */
export interface OperationCall {
  readonly accessKeyId: string;
  readonly body: JsonObject;
  /** Filled while the call is worked on, for the log. */
  readonly seen: { database?: string; transactionId?: string; rows?: number };
}

/** An operation gives the body of its answer or throws a `ServiceError`. */
export type Operation = (context: ServiceContext, call: OperationCall) => Promise<JsonObject>;
