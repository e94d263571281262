/** Pages of the table that a sample of its keys is drawn from; some tens of thousands of rows. */
const SAMPLED_PAGES = 200;

/** How large the table `:source` is, in pages and, if it was ever analysed, in rows; and the percentage that a sample takes. */
export const SIZE = `size as (
  select pages, rows, least(100, 100.0 * ${SAMPLED_PAGES} / pages) as percent from (
    select greatest(1, coalesce(pg_catalog.sum(pg_relation_size(c.oid)), 0) / 8192) as pages,
           cast(nullif(pg_catalog.sum(greatest(c.reltuples, -1)), -1) as bigint) as rows
    from pg_class c
    where c.oid = pg_catalog.to_regclass(cast(:source as text)) and c.relkind <> 'p'
       or c.oid in (select relid from pg_partition_tree(pg_catalog.to_regclass(cast(:source as text))) where isleaf)
  ) as measured
)`;

/** Behind the name of the same table, in a statement that has `SIZE`. */
export const SAMPLED = `tablesample system (cast((select percent from size) as real))`;
