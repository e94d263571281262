import { ForerunError, UNTOUCHED } from './errors.ts';
import { list } from './list.ts';
import type { Migration } from './migration.ts';

/** The step as this environment runs it. */
export function forEnvironment(step: Migration, environment: string | undefined): Migration {
  const isMeant = environment === undefined || (step.environments?.includes(environment) ?? true);
  return isMeant ? step : passedOver(step);
}

/**
 * A limited migration stays in the history everywhere, so that what follows it stands on the same ground. Where its code does not
 * run, it has no phase to wait for either.
 */
export function passedOver(step: Migration): Migration {
  const { id, after, checksum, atomic, compatible, environments, repeatable } = step;
  return {
    id,
    after,
    checksum,
    atomic,
    ...(compatible === undefined ? {} : { compatible }),
    ...(environments === undefined ? {} : { environments }),
    ...(repeatable === undefined ? {} : { repeatable }),
    skipped: true,
    up: nothing,
    down: { kind: 'reversible', run: nothing },
  };
}

const nothing = (): Promise<void> => Promise.resolve();

/** Refuses to guess where a limited migration would run. */
export function environmentRefusals(
  steps: readonly Migration[],
  { environment }: { readonly environment?: string },
): ForerunError[] {
  const limited = steps.filter(({ environments }) => environments !== undefined);
  if (environment !== undefined || limited.length === 0) return [];
  return [
    new ForerunError('input-invalid', {
      what: `Limited to environments, and this run does not know its own: ${list(limited.map(({ id }) => id))}.`,
      state: UNTOUCHED,
      next: 'Set the property environment of Migrations, or send "environment" in the event.',
    }),
  ];
}
