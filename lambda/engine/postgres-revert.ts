import type { DeployRuns } from './journal.ts';
import type { Statement } from './ports.ts';

/** A migration belongs to the run that claimed it last; one that was reverted and applied again has a new row. */
const APPLIED_BY = `
select m.id from forerun.migration m join forerun.run r on r.id = m.run_id
where m.history = :history and r.history = :history and r.digest = :digest
  and r.owner in (select pg_catalog.jsonb_array_elements_text(cast(:owners as jsonb)))
  and r.asked_at >= cast(:since as bigint)`;

/** Whoever migrated last is in charge of the history; a deploy that found nothing to do has left no event. */
const ALL_OF_STACK = `
select m.id from forerun.migration m
where m.history = :history and pg_catalog.starts_with((
  select r.owner from forerun.run r
  where r.history = :history and r.owner is not null and r.action in ('up', 'down')
    and exists (select from forerun.event e where e.history = r.history and e.run_id = r.id)
  order by r.asked_at desc nulls last limit 1), cast(:stack as text))`;

export function appliedBy({ history, owners, digest, sinceMs, everything }: DeployRuns): Statement {
  if (everything) return { sql: ALL_OF_STACK, parameters: { history, stack: stackOf(owners[0] ?? '/') } };
  return {
    sql: APPLIED_BY,
    parameters: { history, digest, owners: JSON.stringify(owners), since: BigInt(sinceMs) },
  };
}

/** An owner is the id of a stack, a slash, and a logical id, which holds no slash. */
const stackOf = (owner: string): string => owner.slice(0, owner.lastIndexOf('/') + 1);
