/** The five operations. */
export type OperationName =
  | 'ExecuteStatement'
  | 'BatchExecuteStatement'
  | 'BeginTransaction'
  | 'CommitTransaction'
  | 'RollbackTransaction';

/** One request that reached the service, answered or not. It holds no parameter value and no error text of the database. */
export interface CallEntry {
  readonly operation: OperationName;
  readonly accessKeyId: string;
  /** The SDK keeps it over its retries: the same id twice is the same request sent twice. */
  readonly invocationId: string | undefined;
  /** From 1, as the SDK counts. */
  readonly attempt: number;
  readonly resourceArn: string | undefined;
  readonly database: string | undefined;
  readonly transactionId: string | undefined;
  /** The statement, cut off after 300 characters. */
  readonly sql: string | undefined;
  readonly milliseconds: number;
  /** Rows returned or changed. */
  readonly rows: number | undefined;
  /** What the database or the service refused; a fault injected afterwards is not an error here. */
  readonly error: { readonly name: string; readonly sqlState: string | undefined } | undefined;
  /** The fault that was injected. */
  readonly fault: string | undefined;
}

export const SQL_CHARACTERS_LOGGED = 300;

/** How many of the last calls are kept, so that a service that runs for long does not grow. */
export const CALLS_KEPT = 20_000;

export interface CallLog {
  add(entry: CallEntry): void;
  all(): readonly CallEntry[];
  reset(): void;
}

export function callLog(onCall: ((entry: CallEntry) => void) | undefined, callsKept: number): CallLog {
  let entries: CallEntry[] = [];
  return {
    add(entry) {
      entries.push(entry);
      // In one cut of half of them: to shift each time would cost more than the call.
      if (entries.length > callsKept) entries = entries.slice(entries.length - Math.ceil(callsKept / 2));
      onCall?.(entry);
    },
    all: () => [...entries],
    reset() {
      entries = [];
    },
  };
}
