import type { Amendment, Intervention } from './journal.ts';
import { ASKER_COLUMNS, ASKER_VALUES, askerParameters } from './postgres-asker.ts';
import type { Statement } from './ports.ts';

/** The lease that was seen is nobody's any more, and whoever held it can neither claim nor bid with what he knows. */
const FREED = `freed as (
  update forerun.lease l
  set token = l.token + 1, revision = l.revision + 1,
      holder = null, owner = null, deploy_id = null, acquired_at = null, expires_at = null
  from seen where l.history = seen.history and l.name = seen.name
  returning l.token
)`;

/** A person's intervention is kept like a run, ended at once, with its reason and whom it met. */
const NOTED = `noted as (
  insert into forerun.run (id, ${ASKER_COLUMNS}, finished_at, outcome, result)
  select :run_id, ${ASKER_VALUES}, pg_catalog.clock_timestamp(), 'done',
         pg_catalog.jsonb_build_object('reason', cast(:reason as text), 'holder', seen.holder, 'deployId', seen.deploy_id)
  from seen, freed
  on conflict (id) do nothing
)`;

/**
 * Frees the lease whoever holds it, and raises the token, so that the holder cannot commit any more. A row that an open
 * transaction has locked is left alone: what works inside it cannot be undone from here.
 */
const UNLOCK = `
with seen as (
  select history, name, holder, deploy_id from forerun.lease
  where history = :history and name = 'run' and holder is not null
  for update skip locked
), ${FREED}, ${NOTED}, told as (
  insert into forerun.event (history, run_id, kind) select :history, :run_id, 'unlocked' from freed
)
select (select holder from seen) as holder,
       exists (select from freed) or exists (select from forerun.run where id = :run_id) as done,
       exists (select from forerun.lease where history = :history and name = 'run' and holder is not null) as held`;

/** Bid, write and release in one statement: it takes effect only on the journal that was read, and only while nobody works. */
const AMEND = `
with seen as (
  select history, name, holder, deploy_id from forerun.lease
  where history = :history and name = 'run' and revision = :revision
    and (holder is null or expires_at < pg_catalog.clock_timestamp())
  for update skip locked
), ${FREED}, ${NOTED}, removed as (
  delete from forerun.migration m using freed
  where m.history = :history and m.id in (select pg_catalog.jsonb_array_elements_text(cast(:remove as jsonb)))
  returning m.id
), put as (
  insert into forerun.migration (history, id, checksum, after, run_id)
  select :history, entry ->> 0, entry ->> 1, entry -> 2, :run_id
  from freed, pg_catalog.jsonb_array_elements(cast(:put as jsonb)) as entry
  on conflict (history, id) do update set checksum = excluded.checksum, after = excluded.after
  returning id
), forgotten as (
  delete from forerun.statement s using freed
  where s.history = :history and s.migration in (select pg_catalog.jsonb_array_elements_text(cast(:forget as jsonb)))
), told as (
  insert into forerun.event (history, run_id, kind, migration)
  select :history, :run_id, 'unstamped', pg_catalog.jsonb_array_elements_text(cast(:remove as jsonb)) from freed
  union all
  select :history, :run_id, 'stamped', id from put
)
select cast(pg_catalog.count(*) as integer) as amended from freed`;

export function unlock(order: Intervention): Statement {
  return { sql: UNLOCK, parameters: orderParameters(order) };
}

export function amend({ revision, put, remove, forget, ...order }: Amendment): Statement {
  return {
    sql: AMEND,
    parameters: {
      ...orderParameters(order),
      revision,
      put: JSON.stringify(put.map(({ id, checksum, after }) => [id, checksum, after])),
      remove: JSON.stringify(remove),
      forget: JSON.stringify(forget),
    },
  };
}

function orderParameters({ reason, ...identity }: Intervention) {
  return { ...askerParameters(identity), reason };
}
