/** Stands in for `down` where there is no way back. */
export interface Irreversible {
  readonly irreversible: string;
}

/** Says that a migration cannot be undone, and why; shown to whoever tries. */
export function irreversible(why: string): Irreversible {
  return Object.freeze({ irreversible: why });
}

/** Whether `down` says that there is no way back. */
export function isIrreversible(down: unknown): down is Irreversible {
  return (
    typeof down === 'object' &&
    down !== null &&
    'irreversible' in down &&
    typeof down.irreversible === 'string' &&
    down.irreversible !== ''
  );
}
