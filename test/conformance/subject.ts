import {
  BatchExecuteStatementCommand,
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  type ExecuteStatementCommandInput,
  type ExecuteStatementCommandOutput,
  type Field,
  type RDSDataClient,
  RollbackTransactionCommand,
  type SqlParameter,
} from '@aws-sdk/client-rds-data';
import type { CallEntry } from '../../local/data-api/call-log.ts';
import type { ClusterOptions } from '../../local/data-api/clusters.ts';
import type { Faults } from '../../local/data-api/faults.ts';

/** A Data API to be tried, with an empty database. */
export interface Subject {
  /** Makes one attempt a call. */
  readonly client: RDSDataClient;
  readonly resourceArn: string;
  readonly secretArn: string;
  readonly database: string;
  /** What only a service on one's own machine lets be done; cases that need it are left out elsewhere. */
  readonly controls: Controls | undefined;
  close(): Promise<void>;
}

export interface Controls {
  readonly url: string;
  readonly faults: Faults;
  advance(milliseconds: number): void;
  pause(): void;
  /** Stores a secret and gives its ARN. */
  putSecret(value: string): string;
  addCluster(cluster: ClusterOptions): void;
  calls(): readonly CallEntry[];
  resetCalls(): void;
}

/** One behaviour, and the rules it belongs to. */
export interface Case {
  readonly rules: readonly number[];
  readonly title: string;
  run(api: Api): Promise<void>;
}

/** A case that needs controls. */
export function controlled(
  rules: readonly number[],
  title: string,
  run: (api: Api, controls: Controls) => Promise<void>,
): Case & { readonly controlled: true } {
  return {
    rules,
    title,
    controlled: true,
    async run(api) {
      if (api.subject.controls !== undefined) await run(api, api.subject.controls);
    },
  };
}

/** What went wrong, as a client sees it. */
interface Refusal {
  readonly name: string;
  readonly status: number | undefined;
  readonly message: string;
  readonly dbConnectionId: number | undefined;
}

type ExecuteOptions = Partial<ExecuteStatementCommandInput>;

/** Short ways to say what the cases do. */
export interface Api {
  readonly subject: Subject;
  readonly names: { readonly resourceArn: string; readonly secretArn: string; readonly database: string };
  execute(sql: string, options?: ExecuteOptions): Promise<ExecuteStatementCommandOutput>;
  /** The only field of the only row. */
  value(sql: string, parameters?: Values, options?: ExecuteOptions): Promise<Field | undefined>;
  refusal(work: Promise<unknown>): Promise<Refusal>;
  batch(sql: string, sets: SqlParameter[][] | undefined, transactionId?: string): Promise<unknown>;
  begin(): Promise<string>;
  commit(transactionId: string): Promise<string | undefined>;
  rollback(transactionId: string): Promise<string | undefined>;
  /** A name that no other case uses. */
  fresh(): string;
  /** Asks again and again until the database answers true; each question waits for its answer. */
  until(sql: string): Promise<void>;
}

export type Values = Readonly<Record<string, Field>>;

/** Named values as parameters. */
export function parameters(values: Values, typeHint?: SqlParameter['typeHint']): SqlParameter[] {
  return Object.entries(values).map(([name, value]) => ({ name, value, ...(typeHint ? { typeHint } : {}) }));
}

export function apiOf(subject: Subject): Api {
  const { client, resourceArn, secretArn, database } = subject;
  const names = { resourceArn, secretArn, database };
  const run = Math.random().toString(36).slice(2, 8);
  let counter = 0;
  const api: Api = {
    subject,
    names,
    execute: async (sql, options = {}) =>
      client.send(new ExecuteStatementCommand({ ...names, sql, ...options })),
    async value(sql, values = {}, options = {}) {
      const { records } = await api.execute(sql, { parameters: parameters(values), ...options });
      return records?.[0]?.[0];
    },
    async refusal(work) {
      const error = await work.then(
        () => Object.assign(new Error('nothing was refused'), { name: 'NothingRefused' }),
        (thrown: unknown) =>
          thrown as Error & { $metadata?: { httpStatusCode?: number }; dbConnectionId?: number },
      );
      const metadata = '$metadata' in error ? error.$metadata : undefined;
      const dbConnectionId = 'dbConnectionId' in error ? error.dbConnectionId : undefined;
      return { name: error.name, status: metadata?.httpStatusCode, message: error.message, dbConnectionId };
    },
    batch: async (sql, sets, transactionId) => {
      const { updateResults } = await client.send(
        new BatchExecuteStatementCommand({ ...names, sql, parameterSets: sets, transactionId }),
      );
      return updateResults;
    },
    begin: async () => (await client.send(new BeginTransactionCommand(names))).transactionId ?? '',
    commit: async (transactionId) =>
      (await client.send(new CommitTransactionCommand({ resourceArn, secretArn, transactionId })))
        .transactionStatus,
    rollback: async (transactionId) =>
      (await client.send(new RollbackTransactionCommand({ resourceArn, secretArn, transactionId })))
        .transactionStatus,
    fresh() {
      counter += 1;
      return `case_${run}_${counter}`;
    },
    async until(sql) {
      for (;;) {
        const answer = await api.value(sql);
        if (answer?.booleanValue === true) return;
      }
    },
  };
  return api;
}
