import type { DeployRuns } from './journal.ts';
import type { Statement } from './ports.ts';

/** A migration belongs to the run that claimed it last; one that was reverted and applied again has a new row. */
const APPLIED_BY = `
select m.id from forerun.migration m join forerun.run r on r.id = m.run_id
where m.history = :history and r.history = :history and r.digest = :digest
  and r.owner in (select jsonb_array_elements_text(cast(:owners as jsonb)))
  and r.asked_at >= cast(:since as bigint)`;

export function appliedBy({ history, owners, digest, sinceMs }: DeployRuns): Statement {
  return {
    sql: APPLIED_BY,
    parameters: { history, digest, owners: JSON.stringify(owners), since: BigInt(sinceMs) },
  };
}
