import * as v from 'valibot';
import type { ImportedDatabase } from '../../../local/rehearsal.ts';

const eventSchema = v.object({
  ResponseURL: v.string(),
  ResourceProperties: v.object({ ClusterArn: v.string(), SecretArn: v.string(), Database: v.string() }),
});

/** The database that a request to Forerun's gate is about; undefined for whatever else invokes a function. */
export function databaseOf(event: string): ImportedDatabase | undefined {
  const parsed = v.safeParse(eventSchema, JSON.parse(event));
  if (!parsed.success) return undefined;
  const { ClusterArn, SecretArn, Database } = parsed.output.ResourceProperties;
  return { clusterArn: ClusterArn, secretArn: SecretArn, database: Database };
}
