import type { BackfillMove } from './states.ts';

/** What is kept of a change, besides its moment: by which move, why, and who says to have asked for it. */
export interface Note {
  readonly move: BackfillMove | 'tune';
  readonly reason: string | null;
  /** A worker's name, or what the caller says of itself: nobody has checked it. */
  readonly by: string | null;
}

/** Writes what happened to a backfill, in the statement that lets it happen: `source` holds a row only if it did. */
export function noted(
  source: string,
  from: string,
  to: string,
  settings = 'null',
  reason = 'cast(:note as text)',
): string {
  return `noted as (
  insert into forerun.backfill_event (history, backfill, move, from_state, to_state, reason, by, settings)
  select :history, :backfill, :move, cast(${from} as text), ${to}, ${reason}, cast(:by as text), cast(${settings} as jsonb)
  from ${source}
)`;
}

export const noteParameters = ({ move, reason, by }: Note) => ({ move, note: reason, by });
