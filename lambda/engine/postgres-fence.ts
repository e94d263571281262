/**
 * Begins every statement that writes into the journal. Writing the lease row is the fence: it succeeds only with the newest
 * token of a run that has not ended, it locks the row until the transaction ends, and the revision moves exactly if the
 * effect does.
 */
export const FENCE = `
with fence as (
  update forerun.lease
  set revision = revision + 1, expires_at = pg_catalog.clock_timestamp() + cast(:lease_ms as double precision) * interval '1 millisecond'
  where history = :history and name = 'run' and token = :token and holder = :run_id
    and exists (select from forerun.run r where r.id = :run_id and r.finished_at is null)
  returning token
)`;
