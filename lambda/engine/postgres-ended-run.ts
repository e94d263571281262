import { JOURNAL_VERSION, type EndedRun, type RunIdentity } from './journal.ts';
import { ASKER_COLUMNS, ASKER_VALUES, askerParameters } from './postgres-asker.ts';
import type { BoundValue, Statement } from './ports.ts';

/** So many runs of a history are kept whatever they did; of older ones those that left an event. */
const KEPT_RUNS = 500;

/** At most so many old rows go with one new one, so that no run pays for many. */
const THINNED_AT_ONCE = 20;

/**
 * The row of a run that has ended already, and of the older rows without an event as many fewer. Rows that somebody else is
 * taking away are left to him: nobody waits here. The statement does not see its own new row, which counts as kept.
 */
const endedRun = (from: string): string => `noted as (
  insert into forerun.run (id, ${ASKER_COLUMNS}, finished_at, outcome, result)
  select :run_id, ${ASKER_VALUES}, pg_catalog.clock_timestamp(), :outcome, cast(:result as jsonb)
  ${from}
  on conflict (id) do nothing
  returning id
), thinned as (
  delete from forerun.run r using noted
  where r.id in (
    select old.id from forerun.run old
    where old.history = :history and old.action in ('up', 'down', 'settle') and old.finished_at is not null
      and old.started_at < (select kept.started_at from forerun.run kept where kept.history = :history
                            order by kept.started_at desc offset ${KEPT_RUNS - 2} limit 1)
      and not exists (select from forerun.event e where e.history = old.history and e.run_id = old.id)
    order by old.started_at limit ${THINNED_AT_ONCE}
    for update skip locked)
)`;

const NOTE = `
with ${endedRun('')}
select cast(pg_catalog.count(*) as integer) as noted from noted`;

export function note({ outcome, result, ...identity }: EndedRun): Statement {
  return { sql: NOTE, parameters: { ...askerParameters(identity), outcome, result } };
}

/**
 * What a reading adds to its CTE `seen` where it may be the only call of its run: if it shows nothing to do and nobody at work,
 * it writes the run's row itself. The condition is that of `makePlan` for a plan without steps and without refusals.
 */
export const IDLE_RUN = endedRun(`from seen
  where holder is null and version <= ${JOURNAL_VERSION} and not overruled and not ended and asked ->> 'result' is null
    and pending = '[]' and stale = '[]' and changed = '[]' and vanished = '[]' and foreign_ones = '[]'
    and not exists (select from pg_catalog.jsonb_array_elements(unfinished) as one
                    where cast(one ->> 'done' as bigint) > 0 or one ->> 'open' is not null)
    and not exists (select from pg_catalog.jsonb_array_elements(backfills) as one left join bundle b on b.id = one ->> 'id'
                    where one ->> 'state' <> 'cancelled' and (b.checksum <> one ->> 'checksum'
                          or (cast(one ->> 'hold' as boolean) and not cast(one ->> 'claimed' as boolean))))`);

export function idleParameters(reader: RunIdentity, result: string): Readonly<Record<string, BoundValue>> {
  return { ...askerParameters(reader), outcome: 'applied', result };
}
