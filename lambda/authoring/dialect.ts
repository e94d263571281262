import {
  Kysely,
  PostgresAdapter,
  RawNode,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely';
import { ForerunError } from '../engine/errors.ts';
import type { Session } from '../engine/ports.ts';
import { PlaceholderCompiler } from './placeholder-compiler.ts';
import { isWrite, runQuery } from './run-query.ts';
import type { DatabaseOf, Tables } from './table.ts';
import { castPlugin } from './typing/cast-plugin.ts';

/** A Kysely builder over one session; values are cast to the types that `tables` declares. */
export function createBuilder<T extends Tables>(session: Session, tables: T): Kysely<DatabaseOf<T>> {
  return new Kysely<DatabaseOf<T>>({ dialect: sessionDialect(session), plugins: [castPlugin(tables)] });
}

function sessionDialect(session: Session): Dialect {
  const connection = connectionOver(session);
  return {
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PlaceholderCompiler(),
    createDriver: () => driverOver(connection),
    createIntrospector: () => {
      throw refused(
        'db.introspection',
        'Read the catalogue with op.query and cast its internal types to text.',
      );
    },
  };
}

const done = (): Promise<void> => Promise.resolve();

const belongsToTheRun = (): Promise<never> =>
  Promise.reject(refused('A transaction of its own', 'Leave it out: the migration already runs inside one.'));

function driverOver(connection: DatabaseConnection): Driver {
  return {
    init: done,
    acquireConnection: () => Promise.resolve(connection),
    beginTransaction: belongsToTheRun,
    commitTransaction: belongsToTheRun,
    rollbackTransaction: belongsToTheRun,
    releaseConnection: done,
    destroy: done,
  };
}

function connectionOver(session: Session): DatabaseConnection {
  return {
    async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, affected } = await runQuery(session, compiled);
      // Kysely's own types say what a row looks like; nothing here can check them.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const typed = [...rows] as unknown as R[];
      const counts = isWrite(compiled.query) || RawNode.is(compiled.query);
      return counts ? { rows: typed, numAffectedRows: BigInt(affected) } : { rows: typed };
    },
    streamQuery() {
      throw refused('stream()', 'Read in pages with limit and a condition on the key.');
    },
  };
}

function refused(what: string, next: string): ForerunError {
  return new ForerunError('statement-refused', {
    what: `${what} is not available in a migration.`,
    state: 'Nothing was sent for it.',
    next,
  });
}
