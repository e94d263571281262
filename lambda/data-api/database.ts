import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RDSDataClient,
  type RDSDataClientConfig,
  RollbackTransactionCommand,
} from '@aws-sdk/client-rds-data';
import type { Target } from '../contract.ts';
import { DatabaseFailure } from '../engine/database-failure.ts';
import type {
  Clock,
  Database,
  ExecuteOptions,
  RunNote,
  Statement,
  StatementResult,
  Transaction,
} from '../engine/ports.ts';
import { failureOf, PATIENCE_MS, type Operation } from './failures.ts';
import { boundTexts, parametersOf, rowsOf } from './values.ts';

/** Above the service's own 45 seconds for a statement, so that its answer has time to come. */
const REQUEST_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;

const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

type Logger = NonNullable<RDSDataClientConfig['logger']>;

export interface DataApiOptions {
  readonly target: Target;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tell: (note: RunNote) => void;
  /** No waiting beyond this moment, in milliseconds since 1970. */
  readonly deadlineMs: number;
  /** @default a client of its own, configured by the environment, with the SDK's retries off */
  readonly client?: RDSDataClient;
  /** Shorter patience for tests and local work, in milliseconds for every kind of failure. */
  readonly patienceMs?: number;
}

const nothing = (): void => undefined;

/**
 * Without an `info` the SDK spares itself a copy of each answer, made so that a log could be written that nobody reads: a fifth of
 * the time that a large one takes.
 */
// The SDK asks whether there is an `info`, its type does not.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const SILENT = { trace: nothing, debug: nothing, warn: nothing, error: nothing } as unknown as Logger;

/**
 * A client for writing: one attempt a call. The SDK would otherwise send a statement up to three times when a connection
 * breaks before the answer, and each of them may run.
 */
export function writingClient(
  where: Pick<RDSDataClientConfig, 'endpoint' | 'region' | 'credentials'> = {},
): RDSDataClient {
  return new RDSDataClient({
    ...where,
    maxAttempts: 1,
    logger: SILENT,
    requestHandler: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

/** The engine's `Database` over the RDS Data API of one cluster. */
export function dataApiDatabase(options: DataApiOptions): Database {
  const { target } = options;
  const client = options.client ?? writingClient();
  const where = { resourceArn: target.clusterArn, secretArn: target.secretArn };
  let calls = 0;

  /** One answered call; sent again only while it provably did not run. */
  const send = async <T>(
    operation: Operation,
    bound: readonly string[],
    attempt: () => Promise<T>,
    { once = false, rowOfKey }: { once?: boolean; rowOfKey?: Statement['rowOfKey'] } = {},
  ): Promise<T> => {
    const began = options.clock.now();
    for (let turn = 0; ; turn += 1) {
      try {
        calls += 1;
        return await attempt();
      } catch (cause) {
        const failure = failureOf(operation, cause, bound, rowOfKey);
        const waitMs = once ? null : pauseAfter(failure, turn, began, options);
        if (waitMs === null) throw failure;
        options.tell({ note: 'waiting', reason: failure.message, forMs: Math.round(waitMs) });
        await options.clock.sleep(waitMs);
      }
    }
  };

  const execute = async (
    statement: Statement,
    { rows, beyondLimit = false, once = false }: ExecuteOptions,
    transactionId?: string,
  ): Promise<StatementResult> => {
    const alone = beyondLimit ? 'execute-beyond-limit' : 'execute-alone';
    const operation = transactionId === undefined ? alone : 'execute-in-transaction';
    const parameters = parametersOf(statement);
    const command = new ExecuteStatementCommand({
      ...where,
      database: target.database,
      sql: statement.sql,
      includeResultMetadata: rows,
      resultSetOptions: { longReturnType: 'STRING', decimalReturnType: 'STRING' },
      ...(parameters === undefined ? {} : { parameters }),
      ...(transactionId === undefined ? {} : { transactionId }),
      ...(beyondLimit ? { continueAfterTimeout: true } : {}),
    });
    const answer = await send(operation, boundTexts(statement), () => client.send(command), {
      once,
      rowOfKey: statement.rowOfKey,
    });
    return {
      rows: rowsOf(answer.records ?? [], answer.columnMetadata ?? []),
      affected: answer.numberOfRecordsUpdated ?? 0,
    };
  };

  const transaction = (transactionId: string): Transaction => ({
    execute: (statement, asked) => execute(statement, asked, transactionId),
    async commit() {
      await send('commit', [], () => client.send(new CommitTransactionCommand({ ...where, transactionId })));
    },
    async rollback() {
      await send('rollback', [], () =>
        client.send(new RollbackTransactionCommand({ ...where, transactionId })),
      );
    },
  });

  return {
    execute: (statement, asked) => execute(statement, asked),
    async begin() {
      const command = new BeginTransactionCommand({ ...where, database: target.database });
      const { transactionId } = await send('begin', [], () => client.send(command));
      if (transactionId === undefined) {
        throw new DatabaseFailure({
          ran: 'no',
          kind: 'invalid',
          message: 'the Data API began a transaction without naming it',
        });
      }
      return transaction(transactionId);
    },
    calls: () => calls,
  };
}

/** How long to wait before the call is sent again; null when it may not be, or patience or time are used up. */
function pauseAfter(
  failure: DatabaseFailure,
  turn: number,
  beganMs: number,
  options: DataApiOptions,
): number | null {
  const { clock, random, deadlineMs, patienceMs } = options;
  const patience = PATIENCE_MS[failure.kind];
  if (failure.ran !== 'no' || patience === undefined) return null;
  const waitMs = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** turn) * (0.5 + random() / 2);
  const until = Math.min(deadlineMs, beganMs + Math.min(patience, patienceMs ?? patience));
  return clock.now() + waitMs > until ? null : waitMs;
}
