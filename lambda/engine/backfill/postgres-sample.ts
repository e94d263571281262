/** Pages of the table that a sample of its keys is drawn from; some tens of thousands of rows. */
const SAMPLED_PAGES = 200;

/** Before version 14 a table that was never counted has no rows, and not -1. */
const TELLS_UNKNOWN = `cast(pg_catalog.current_setting('server_version_num') as integer) >= 140000`;

/** How large the table `:source` is, in pages and, if it was ever analysed, in rows; and the percentage that a sample takes. */
export const SIZE = `forerun_size as (
  select pages, rows, least(100, 100.0 * ${SAMPLED_PAGES} / pages) as percent from (
    select greatest(1, coalesce(pg_catalog.sum(pg_relation_size(c.oid)), 0) / 8192) as pages,
           cast(pg_catalog.sum(case when c.reltuples >= 0 and (c.relpages > 0 or ${TELLS_UNKNOWN}) then c.reltuples end) as bigint) as rows
    from pg_class c
    where c.oid = pg_catalog.to_regclass(cast(:source as text)) and c.relkind <> 'p'
       or c.oid in (select relid from pg_partition_tree(pg_catalog.to_regclass(cast(:source as text))) where isleaf)
  ) as forerun_measured
)`;

/** Behind the name of the same table, in a statement that has `SIZE`. */
export const SAMPLED = `tablesample system (cast((select percent from forerun_size) as real))`;
