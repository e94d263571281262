/** Where a backfill can stand. */
export type BackfillState = 'enqueued' | 'running' | 'paused' | 'failed' | 'cancelled' | 'succeeded';

/** What moves a backfill from one state to another: a deploy, a worker, or a person's action. */
export type BackfillMove = 'deploy' | 'work' | 'trouble' | 'pause' | 'resume' | 'cancel' | 'retry';

export interface Edge {
  readonly from: BackfillState;
  readonly to: BackfillState;
  readonly by: BackfillMove;
  readonly says: string;
}

/**
 * Every transition there is. There is no state between: who pauses or cancels sets the state, so that no batch begins any more, and
 * then takes the ranges' leases, which waits for the batches under way, so that none can commit afterwards.
 */
export const EDGES: readonly Edge[] = [
  { from: 'enqueued', to: 'running', by: 'work', says: 'A worker took it up.' },
  {
    from: 'running',
    to: 'succeeded',
    by: 'work',
    says: 'Every range is done, and no older transaction can add a row.',
  },
  {
    from: 'running',
    to: 'paused',
    by: 'trouble',
    says: 'A batch failed down to its smallest part; its keys are named.',
  },
  {
    from: 'enqueued',
    to: 'failed',
    by: 'trouble',
    says: 'It cannot work on this table as it is; nothing was changed.',
  },
  {
    from: 'running',
    to: 'failed',
    by: 'trouble',
    says: 'It cannot go on as it is written; what is done stands.',
  },
  { from: 'enqueued', to: 'paused', by: 'pause', says: 'A person held it back before it began.' },
  { from: 'running', to: 'paused', by: 'pause', says: 'A person stopped it between two batches.' },
  { from: 'paused', to: 'enqueued', by: 'resume', says: 'A person lets it go on from its cursor.' },
  {
    from: 'failed',
    to: 'enqueued',
    by: 'retry',
    says: 'A person has mended the cause; it goes on from its cursor.',
  },
  {
    from: 'cancelled',
    to: 'enqueued',
    by: 'retry',
    says: 'A person wants it after all; it goes on from its cursor.',
  },
  { from: 'enqueued', to: 'cancelled', by: 'cancel', says: 'A person gave it up before it began.' },
  { from: 'running', to: 'cancelled', by: 'cancel', says: 'A person gave it up; what is done stands.' },
  { from: 'paused', to: 'cancelled', by: 'cancel', says: 'A person gave it up; what is done stands.' },
  { from: 'failed', to: 'cancelled', by: 'cancel', says: 'A person gave it up; what is done stands.' },
  {
    from: 'succeeded',
    to: 'enqueued',
    by: 'deploy',
    says: 'A person had stamped its migration away; it is applied anew.',
  },
  {
    from: 'cancelled',
    to: 'enqueued',
    by: 'deploy',
    says: 'A deploy of its new file begins anew; what is done stands.',
  },
];

/** States from which a move leads on, and where to; undefined when it leads nowhere from there. */
export function edgeFrom(from: BackfillState, by: BackfillMove): Edge | undefined {
  return EDGES.find((edge) => edge.from === from && edge.by === by);
}

/** The states from which a move leads to this one. */
export const statesBefore = (to: BackfillState, by: BackfillMove): readonly BackfillState[] =>
  EDGES.filter((edge) => edge.to === to && edge.by === by).map(({ from }) => from);

/** States in which a worker may work. */
export const isOpen = (state: BackfillState): boolean => state === 'enqueued' || state === 'running';

/** States out of which only a person helps. */
export const isStopped = (state: BackfillState): boolean => state === 'paused' || state === 'failed';
