import type { Kysely } from 'kysely';
import { ForerunError } from '../engine/errors.ts';
import type { MigrationTools } from '../engine/migration.ts';
import type { Session } from '../engine/ports.ts';
import { createCheck, type Check } from './check.ts';
import { createBuilder } from './dialect.ts';
import type { Gift } from './gift.ts';
import { haltingSession } from './halting-session.ts';
import { isIrreversible } from './irreversible.ts';
import {
  isOperation,
  isUsedOperation,
  type ArgumentOf,
  type Op,
  type Operation,
  type OperationContext,
  type UsedOperation,
} from './operation.ts';
import { createOperations, statementFrom } from './operations.ts';
import type { NoSecrets, Secrets } from './secret.ts';
import type { DatabaseOf, Tables } from './table.ts';
import { unsentQueries } from './unsent-queries.ts';

/** What `up` and `down` get to work with. */
export interface MigrationContext<T extends Tables, P = undefined, S extends Secrets = NoSecrets> {
  /** Kysely over the migration's transaction. It knows the tables of `tables`; schema changes need none. */
  readonly db: Kysely<DatabaseOf<T>>;
  /** Plain SQL, bulk rows and operations. */
  readonly op: Op;
  /** States what must be true at this point; see `Check`. */
  readonly check: Check;
  /** Tells how far a long step has come; shown while the run works. Keep values out of it. */
  readonly progress: (message: string) => void;
  /** The deploy's parameters, as the schema `params` made them. */
  readonly params: P;
  /** The texts of the secrets that the migration named. Bind them as values; never write them into SQL. */
  readonly secrets: { readonly [K in keyof S]: string };
}

type Direction = 'up' | 'down';

/** Opens a context over a session and lets `work` use it; a failure that `work` swallowed is thrown at its end. */
export async function inContext<T extends Tables>(
  session: Session,
  tools: MigrationTools,
  tables: T,
  { params, secrets }: Pick<Gift, 'params' | 'secrets'>,
  work: (context: MigrationContext<T, unknown, Secrets>) => Promise<unknown>,
): Promise<void> {
  const halting = haltingSession(session);
  const unsent = unsentQueries();
  const db = unsent.watch(createBuilder(halting, tables));
  const language = { db, tables };
  const check = createCheck({
    session: halting,
    statement: (query, values) => statementFrom(query, values, language),
  });
  const use = (find: () => UsedOperation, direction: Direction): Promise<void> => {
    const work = async (): Promise<void> => {
      const used = find();
      refuseMisuse(used, direction, tools);
      tools.progress(direction === 'up' ? used.label : `undoing ${used.label}`);
      const step = used[direction];
      if (!isIrreversible(step)) await step(operationContext);
    };
    return marked(halting.guard(work));
  };
  const op: Op = Object.freeze({
    ...createOperations(halting, language, tools, halting.guard),
    use: <A>(operation: Operation<A> | UsedOperation, ...args: ArgumentOf<A> | []) =>
      use(() => usedOf(operation, args), 'up'),
    undo: <A>(operation: Operation<A> | UsedOperation, ...args: ArgumentOf<A> | []) =>
      use(() => usedOf(operation, args), 'down'),
  });
  const shared: Omit<OperationContext, 'db'> = {
    op,
    check: (...asked) => marked(halting.guard(() => check(...asked))),
    progress: (message) => tools.progress(message),
  };
  // An operation may come from anybody's package: it gets its argument, and neither parameters nor secrets beside it.
  const operationContext: OperationContext = { ...shared, db: unsent.watch(createBuilder(halting, {})) };
  await work({ ...shared, db, params, secrets });
  await begunToReachTheSession();
  halting.settle();
  unsent.refuse();
}

/**
 * The builder sends a query some promises after `execute()` was called. One that nobody awaited must have reached the session
 * by the time it closes, so that it is seen.
 */
const begunToReachTheSession = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A rejection that its author does not await would end the process, and it is remembered anyway. */
function marked(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

function usedOf<A>(operation: Operation<A> | UsedOperation, args: ArgumentOf<A> | []): UsedOperation {
  if (isUsedOperation(operation)) return operation;
  // The overloads of `use` tie the argument to its operation.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (isOperation(operation)) return operation.with(...(args as ArgumentOf<unknown>));
  throw refused('What op.use was given is no operation.', 'Make it with operation({ name, up, down }).');
}

function refuseMisuse(
  { label, transaction, down }: UsedOperation,
  direction: Direction,
  tools: MigrationTools,
): void {
  if (transaction !== undefined && transaction !== tools.inTransaction) {
    throw transaction
      ? refused(
          `"${label}" sends statements that must commit together, and this migration has no transaction.`,
          'Use it in a migration of its own, without transaction: false and long: true.',
        )
      : refused(
          `"${label}" sends statements that must commit one by one, and this migration has a transaction.`,
          'Use it in a migration of its own with transaction: false (or long: true, when they may take over 45 seconds).',
        );
  }
  if (direction === 'down' && isIrreversible(down)) {
    throw refused(
      `"${label}" cannot be undone: ${down.irreversible.replace(/[.\s]+$/, '')}.`,
      'Say so in the migration with down: irreversible(…), or write what takes its place.',
    );
  }
}

function refused(what: string, next: string): ForerunError {
  return new ForerunError('statement-refused', { what, state: 'Nothing was sent for it.', next });
}
