import type { KyselyPlugin, QueryId, RootOperationNode } from 'kysely';
import type { Tables } from '../table.ts';
import { castValues } from './cast-values.ts';
import { readBackOf, type ReadBack } from './read-back.ts';
import { unread } from './reading.ts';

/** Kysely's plugin that types every value on its way in, and the few that need it on their way out. */
export function castPlugin(tables: Tables): KyselyPlugin {
  // Weak, because a query that is only compiled never comes back for its entry.
  const readBacks = new WeakMap<QueryId, ReadBack>();
  return {
    transformQuery({ node: given, queryId }) {
      // It gives back a node of the kind it was given.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const node = unread(given) as RootOperationNode;
      const readBack = readBackOf(node, tables);
      if (readBack !== undefined) readBacks.set(queryId, readBack);
      return castValues(node, tables);
    },
    transformResult({ result, queryId }) {
      const readBack = readBacks.get(queryId);
      return Promise.resolve(
        readBack === undefined ? result : { ...result, rows: result.rows.map(readBack) },
      );
    },
  };
}
