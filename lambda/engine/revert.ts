import { ForerunError, UNTOUCHED } from './errors.ts';
import { JOURNAL_VERSION, type Dialect, type RunIdentity } from './journal.ts';
import { releaseLease, repeatable } from './lease.ts';
import type { RunLimits } from './limits.ts';
import { BASE, type Migration } from './migration.ts';
import type { RunResult } from './outcome.ts';
import type { Goal } from './plan.ts';
import type { Ports } from './ports.ts';
import { run } from './run.ts';
import { raiseFence } from './settle.ts';

export interface RevertRequest {
  readonly identity: Omit<RunIdentity, 'action'>;
  /** The history of the release that is taken back. */
  readonly history: readonly Migration[];
  /** Whose runs are taken back. */
  readonly owners: readonly string[];
  /** Since when they were asked for, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** Take back all that stands instead, if a resource of the first owner's stack was the last to migrate. */
  readonly everything?: boolean;
  readonly environment?: string;
  readonly deadlineMs: number;
  readonly limits: RunLimits;
}

/**
 * Takes back what a deploy applied: newest first, in one transaction or not at all, and only if nothing else stands on it.
 * Runs of that deploy that still work are ended first, so that none can apply anything after it was looked at.
 */
export async function revert(
  request: RevertRequest,
  ports: Ports,
  dialect: Dialect,
): Promise<RunResult | 'overtaken'> {
  const { identity, history, owners, sinceMs, everything = false, deadlineMs, limits, environment } = request;
  await endRuns(request, ports, dialect);
  const deploy = { history: identity.history, owners, digest: identity.digest, sinceMs, everything };
  const { rows } = await repeatable(dialect.appliedBy(deploy), ports);
  const only = new Set(rows.flatMap(({ id }) => (typeof id === 'string' ? [id] : [])));
  const goal: Goal = { direction: 'down', to: BASE, atomic: 'group', only };
  return await run(
    {
      identity: { ...identity, action: 'down' },
      history,
      goal: environment === undefined ? goal : { ...goal, environment },
      deadlineMs,
      limits,
      yieldToOwnRun: false,
    },
    ports,
    dialect,
  );
}

/** The fence is a run of its own, because a run that has ended can do nothing more. */
async function endRuns(request: RevertRequest, ports: Ports, dialect: Dialect): Promise<void> {
  const { identity, owners } = request;
  const fence = {
    ...request,
    identity: { ...identity, runId: `${identity.runId}/fence`, runKey: null, action: 'settle' as const },
  };
  const raised = await raiseFence(fence, owners, ports, dialect);
  if (raised === null) {
    throw new ForerunError('journal-unreadable', {
      what: `The journal in schema forerun is newer than version ${JOURNAL_VERSION}, which this release of Forerun writes.`,
      state: UNTOUCHED,
      next: 'Use the newer release of Forerun that upgraded the journal.',
    });
  }
  await releaseLease(fence.identity, raised.token, { outcome: 'settled', result: null }, ports, dialect);
}
