/** Pages of the table that a sample of its keys is drawn from; some tens of thousands of rows. */
const SAMPLED_PAGES = 200;

/** Before version 14 a table that was never counted has no rows, and not -1. */
const TELLS_UNKNOWN = `cast(pg_catalog.current_setting('server_version_num') as integer) >= 140000`;

/** How large the table `:source` is, in pages and, if it was ever analysed, in rows; and the percentage that a sample takes. */
export const SIZE = `forerun_size as (
  select pages, rows, least(100.0, 100.0 * ${SAMPLED_PAGES}.0 / pages) as percent from (
    select greatest(1.0, coalesce(pg_catalog.sum(pg_catalog.pg_relation_size(cast(c.oid as regclass))), 0.0) / 8192.0) as pages,
           cast(pg_catalog.sum(case when c.reltuples >= cast(0 as real) and (c.relpages > 0 or ${TELLS_UNKNOWN}) then c.reltuples end) as bigint) as rows
    from pg_class c
    where c.oid = cast(pg_catalog.to_regclass(cast(:source as text)) as oid) and c.relkind <> 'p'
       or c.oid in (select cast(relid as oid) from pg_catalog.pg_partition_tree(pg_catalog.to_regclass(cast(:source as text))) where isleaf)
  ) as forerun_measured
)`;

/** Behind the name of the same table, in a statement that has `SIZE`. */
export const SAMPLED = `tablesample system (cast((select percent from forerun_size) as real))`;
