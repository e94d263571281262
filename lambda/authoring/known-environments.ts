import { ForerunError, UNTOUCHED } from '../engine/errors.ts';
import { meantBy } from '../engine/near-miss.ts';

/** Refuses a migration that is limited to an environment which is not among the declared ones: it would never run there. */
export function refuseUnknownEnvironments(
  id: string,
  environments: readonly string[],
  known: readonly string[],
): void {
  const unknown = environments.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ForerunError('migration-not-a-migration', {
    what: `${id} is limited to the environment '${unknown}', which is none of ${known.join(', ')}${meantBy(unknown, known)}.`,
    state: UNTOUCHED,
    next: 'Correct the name in "environments" of the migration, or add it to the property environments of Migrations (or to --environments).',
  });
}
