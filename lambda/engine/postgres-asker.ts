import type { BoundValue } from './ports.ts';
import type { RunIdentity } from './journal.ts';

/** Columns of `forerun.run` that say who asked, and from where. */
export const ASKER_COLUMNS =
  'history, key, action, owner, deploy_id, asked_at, commit_id, asked_by, asked_through, digest';

/** Their values, each with its type. */
export const ASKER_VALUES = `:history, cast(:run_key as text), :action, cast(:owner as text), cast(:deploy_id as text),
         cast(:asked_at as bigint), cast(:commit as text), cast(:by as text), cast(:through as text), :digest`;

export function askerParameters(identity: RunIdentity): Readonly<Record<string, BoundValue>> {
  const { history, runId, runKey, action, owner, deployId, digest, commit, by, through } = identity;
  return {
    history,
    run_id: runId,
    run_key: runKey,
    action,
    owner,
    deploy_id: deployId,
    asked_at: askedAt(identity),
    commit: commit ?? null,
    by: by ?? null,
    through: through ?? null,
    digest,
  };
}

/** An age is compared only between asks of one owner, by CloudFormation's clock. */
export const askedAt = (identity: RunIdentity | null): bigint | null =>
  identity?.askedAtMs === undefined ? null : BigInt(identity.askedAtMs);
