import { ForerunError } from '../engine/errors.ts';

/** Modules are bundled without type checks, so a misspelt option would be passed over without a word. */
export function refuseUnknownOptions(options: object, known: readonly string[], operation: string): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new ForerunError('rows-refused', {
    what: `${operation} has no option "${unknown}"; it takes ${known.join(', ')}.`,
    state: 'Nothing was sent for it.',
    next: 'Correct the name of the option.',
  });
}
