import type { FaultKind } from '../../local/data-api/faults.ts';
import type { Answers } from './arena.ts';
import { chanceOf, sampleOf } from './chance.ts';
import type { CampaignHistory, Start } from './histories.ts';

/** What the local Data API can do to a call by itself. */
export const SERVICE_FAULTS = [
  'drop-before',
  'drop-after',
  'status-500',
  'status-502',
  'status-503',
  'status-504',
  'half-body',
  'sql-exception',
  'skewed-date',
  'throttle',
  'resuming',
  'secret-rotated',
  'unavailable',
  'delay',
] as const satisfies readonly FaultKind[];

/** Longer than every limit of a campaign's run, so that a delayed call finds its transaction and its lease gone. */
export const DELAY_MS = 700;

export type ServiceFault = (typeof SERVICE_FAULTS)[number];

/**
 * `late`: the caller gives up, and its request is carried out some calls later. `kill-before`, `kill-after`: the runner's
 * process dies before the call is sent, or when its answer has come. `kill-late`: it dies while the call is under
 * way, and the call is carried out when the next run has ended.
 */
export type ProcessFault = 'late' | 'kill-before' | 'kill-after' | 'kill-late';

export type Blow = ServiceFault | ProcessFault;

/** The columns of the matrix. */
export const BLOWS: readonly Blow[] = [...SERVICE_FAULTS, 'late', 'kill-before', 'kill-after', 'kill-late'];

/** One place to strike. */
export interface Strike {
  readonly blow: Blow;
  /** Which call of the point, from 1. */
  readonly call: number;
}

/** One crash point: a run that is struck, and then run again until it is done. */
export interface Point {
  readonly answers: Answers;
  readonly history: string;
  readonly start: Start;
  readonly strikes: readonly Strike[];
}

/** A point's name; `--only <name>` runs it alone. */
export function nameOf({ answers, history, start, strikes }: Point): string {
  const blows = strikes.map(({ blow, call }) => `${blow}@${call}`).join('+');
  return `${answers}/${history}/${start}/${blows}`;
}

export const isServiceFault = (blow: Blow): blow is ServiceFault =>
  (SERVICE_FAULTS as readonly Blow[]).includes(blow);

/** Every call of the calm run with every fault. */
export function singlePoints(
  answers: Answers,
  { name }: CampaignHistory,
  start: Start,
  calls: number,
): Point[] {
  const numbers = Array.from({ length: calls }, (_, index) => index + 1);
  return BLOWS.flatMap((blow) =>
    numbers.map((call) => ({ answers, history: name, start, strikes: [{ blow, call }] })),
  );
}

/** Two faults in one point, chosen by the seed; the second one often strikes what repairs the first. */
export function pairPoints(
  answers: Answers,
  { name }: CampaignHistory,
  start: Start,
  calls: number,
  sample: { readonly seed: number; readonly wanted: number },
): readonly Point[] {
  const chance = chanceOf(sample.seed, answers, name, start);
  const faults = SERVICE_FAULTS.filter((blow) => blow !== 'skewed-date');
  const all = faults.flatMap((first) =>
    faults.flatMap((second) =>
      Array.from({ length: calls }, (_, index) => index + 1).flatMap((call) =>
        [1, 2, 3, 5].map((further) => ({
          answers,
          history: name,
          start,
          strikes: [
            { blow: first, call },
            { blow: second, call: call + further },
          ],
        })),
      ),
    ),
  );
  return sampleOf(all, sample.wanted, chance);
}
