import type { KyselyPlugin } from 'kysely';
import type { Tables } from '../table.ts';
import { castValues } from './cast-values.ts';

/** Kysely's plugin that types every value; results pass through, the database port has converted them already. */
export function castPlugin(tables: Tables): KyselyPlugin {
  return {
    transformQuery: ({ node }) => castValues(node, tables),
    transformResult: ({ result }) => Promise.resolve(result),
  };
}
