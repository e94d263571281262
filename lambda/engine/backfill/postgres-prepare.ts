import type { Statement } from '../ports.ts';
import type { Backfill, KeyColumn } from './backfill.ts';
import { noted, noteParameters } from './postgres-event.ts';
import { SAMPLED, SIZE } from './postgres-sample.ts';
import { leasePrefix } from './postgres-seat.ts';
import { targetTable } from './postgres-target.ts';

/** Which backfill of which history. */
export interface BackfillPlace {
  readonly history: string;
  readonly backfill: string;
}

/** A backfill as the file of one release has it. */
export interface BackfillOfFile extends BackfillPlace {
  readonly checksum: string;
}

const placeOf = ({ history, backfill }: BackfillPlace) => ({ history, backfill });

/** What the catalog says of the table and its key. */
export const describeKey = ({ table, key, form }: Backfill): Statement => ({
  sql: DESCRIBE_KEY,
  parameters: {
    table,
    names: JSON.stringify(key.map(({ name }) => name)),
    into: form.kind === 'insert' ? form.into : null,
    inserted: JSON.stringify(
      form.kind === 'insert' ? form.columns.map(({ column, from }) => [column, from]) : [],
    ),
  },
});

/** The walked table in the catalog. */
const TABLE = 'cast(pg_catalog.to_regclass(cast(:table as text)) as oid)';

/** Bits of `pg_trigger.tgtype`: for each row, before, on update (`TRIGGER_TYPE_…` in PostgreSQL's `pg_trigger.h`). */
const BEFORE_EACH_UPDATE = 1 | 2 | 16;

/**
 * A row can be copied twice unless the second copy meets the first in a unique index, whatever happened to the row in between.
 * So the index must have the walked key and nothing else, taken over as it is: any other column of the row may have changed
 * and an expression may give another value.
 *
 * A key can be walked over if a valid, plain, immediate unique index has exactly its columns in this order, none of them
 * nullable, all in one direction, compared by the columns' own collations and as an operator class of the family does that is
 * the default one for the column's type: no other index serves `>` and `order by`. Such an index sees nothing of child tables,
 * which a query over their parent reads too; those that are partitions share the parent's own.
 *
 * A key's texts are cast to the type that is told here, so it may change no value of the column. It carries no length, and
 * stays right when the column is made wider meanwhile; -1 tells format_type to say bpchar and "bit", because character and
 * bit mean a length of one. In place of a domain it is the type below, whose checks the older values need not pass.
 */
const DESCRIBE_KEY = `
with recursive found as (
  select n.name, n.at, a.attnum, a.attnotnull, a.atttypid, a.attcollation
  from pg_catalog.jsonb_array_elements_text(cast(:names as jsonb)) with ordinality as n (name, at)
  left join pg_attribute a on a.attrelid = ${TABLE} and a.attname = n.name
    and a.attnum > 0 and not a.attisdropped
), below as (
  select at, atttypid as oid from found
  union all
  select b.at, t.typbasetype from below b join pg_type t on t.oid = b.oid where t.typtype = 'd'
), named as (
  select f.name, f.at, f.attnum, f.attnotnull, t.oid as atttypid, f.attcollation, pg_catalog.format_type(t.oid, -1) as type
  from found f left join (below b join pg_type t on t.oid = b.oid and t.typtype <> 'd') on b.at = f.at
), parted as (
  select ${TABLE} as oid
  union all
  select h.inhrelid from parted p join pg_inherits h on h.inhparent = p.oid
), keyed as (
  select pg_catalog.array_agg(attnum order by at) as columns, pg_catalog.array_agg(attcollation order by at) as collations from named
)
select
  pg_catalog.to_regclass(cast(:table as text)) is not null as there,
  exists (
    select from pg_inherits h join pg_class c on c.oid = h.inhparent
    where h.inhparent = ${TABLE} and c.relkind <> 'p'
  ) as inherited,
  exists (
    select from pg_trigger t where (t.tgtype & cast(${BEFORE_EACH_UPDATE} as smallint)) = cast(${BEFORE_EACH_UPDATE} as smallint)
      and t.tgrelid in (select oid from parted)
  ) or exists (
    select from pg_rewrite w where w.ev_class = ${TABLE} and w.ev_type = '2'
  ) as triggered,
  (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', name, 'type', type, 'notNull', attnotnull, 'orderable', exists (
     select from pg_opclass o join pg_am m on m.oid = o.opcmethod join pg_type t on t.oid = n.atttypid
     where m.amname = 'btree' and o.opcdefault
       and (o.opcintype = t.oid or t.typtype in ('e', 'r', 'm') or t.typcategory = 'A'
            or exists (select from pg_cast c where c.castsource = t.oid and c.casttarget = o.opcintype
                       and c.castmethod = 'b' and c.castcontext = 'i')))) order by at) from named n) as columns,
  exists (
    select from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam, keyed k
    where i.indrelid = ${TABLE} and m.amname = 'btree'
      and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
      and array(select p.attnum from pg_catalog.unnest(cast(i.indkey as smallint[])) with ordinality as p (attnum, at)
                where p.at <= i.indnkeyatts order by p.at) operator(pg_catalog.=) k.columns
      and cast(i.indcollation as oid[]) operator(pg_catalog.@>) k.collations and k.collations operator(pg_catalog.@>) cast(i.indcollation as oid[])
      and not exists (
        select from pg_catalog.unnest(cast(i.indclass as oid[])) with ordinality as p (class, at)
        join pg_opclass o on o.oid = p.class join named n on n.at = p.at
        where not exists (
          select from pg_opclass d where d.opcmethod = o.opcmethod and d.opcfamily = o.opcfamily and d.opcdefault
            and (d.opcintype = n.atttypid or not exists (
              select from pg_opclass e where e.opcmethod = o.opcmethod and e.opcdefault and e.opcintype = n.atttypid))))
      and (select pg_catalog.count(distinct o.direction & cast(1 as smallint)) from pg_catalog.unnest(cast(i.indoption as smallint[])) as o (direction)) = 1
  ) as usable,
  pg_catalog.to_regclass(cast(:into as text)) is not null as into_there,
  (
    select met.columns from pg_index i cross join lateral (
      select pg_catalog.array_agg(given.name order by given.name) as names,
        pg_catalog.jsonb_object_agg(coalesce(given.name, ''), given.column) as columns
      from (
        select case when a.attnotnull then g.value ->> 1 end as name, g.value -> 0 as column
        from pg_catalog.unnest(cast(i.indkey as smallint[])) with ordinality as p (attnum, at)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.attnum
        left join pg_catalog.jsonb_array_elements(cast(:inserted as jsonb)) as g (value)
          on g.value ->> 0 = '"' || pg_catalog.replace(a.attname, '"', '""') || '"'
        where p.at <= i.indnkeyatts) as given) as met
    where i.indrelid = cast(pg_catalog.to_regclass(cast(:into as text)) as oid) and i.indisunique and i.indisvalid and i.indimmediate
      and i.indpred is null and i.indexprs is null
      and met.names operator(pg_catalog.=) (select pg_catalog.array_agg(name order by name) from found)
    order by i.indexrelid limit 1
  ) as into_unique`;

/** A worker takes it up; safe to repeat. */
export const startBackfill = (place: BackfillPlace, worker: string): Statement => ({
  sql: `with started as (
  update forerun.backfill set state = 'running', started_at = coalesce(started_at, pg_catalog.clock_timestamp())
  where history = :history and id = :backfill and state = 'enqueued'
  returning id
), ${noted('started', `'enqueued'`, `'running'`)}
select 1 as done`,
  parameters: { ...placeOf(place), ...noteParameters({ move: 'work', reason: null, by: worker }) },
});

/** The number that installers of one frozen set meet at, beside the journal's own. */
const TARGET_ON_A_KEYPAD = 8274381;

/**
 * Creates the table for the frozen set, typed as the key is; twins come one after the other. Once the set is captured, a
 * request that comes late creates nothing: the table may be gone for good by then.
 */
export function createTarget({ history, backfill }: BackfillPlace, { table, key }: Backfill): Statement {
  const target = targetTable(history, backfill);
  const columns = key.map(({ column }, at) => `${table}.${column} as k${at}`);
  const names = key.map((_, at) => `k${at}`).join(', ');
  const body = `
begin
  perform pg_catalog.pg_advisory_xact_lock(${TARGET_ON_A_KEYPAD});
  perform from forerun.backfill where history = ${literal(history)} and id = ${literal(backfill)}
    and state = 'running' and captured_at is null for update;
  if found and pg_catalog.to_regclass('${target}') is null then
    create table ${target} as select ${columns.join(', ')} from ${table} with no data;
    alter table ${target} add primary key (${names});
  end if;
end`;
  return { sql: `do ${literal(body)}` };
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Captures the keys in one snapshot, once; it may outlast the service's limit for a call. */
export function captureTarget(place: BackfillOfFile, { table, key, where }: Backfill): Statement {
  const target = targetTable(place.history, place.backfill);
  return {
    sql: `/* forerun ${place.backfill} */ with forerun_chosen as materialized (
  select history, id from forerun.backfill
  where history = :history and id = :backfill and state = 'running' and captured_at is null
    and checksum = :checksum for update
), forerun_captured as (
  insert into ${target} select ${key.map(({ column }) => `${table}.${column}`).join(', ')} from ${table}
  where exists (select from forerun_chosen) and (${where?.sql ?? 'true'})
  returning 1
)
update forerun.backfill b set captured_at = pg_catalog.clock_timestamp(), total = (select pg_catalog.count(*) from forerun_captured)
from forerun_chosen s where b.history = s.history and b.id = s.id`,
    parameters: { ...placeOf(place), checksum: place.checksum, ...where?.parameters },
  };
}

/**
 * Parts the keys into ranges of about the same number of rows, by a sample of real keys: arithmetic on keys would fit
 * neither uuids nor gaps. Each range gets its lease.
 */
export function createRanges(
  place: BackfillOfFile,
  spec: Backfill,
  key: readonly KeyColumn[],
  wanted: number,
) {
  const source = spec.frozen ? targetTable(place.history, place.backfill) : spec.table;
  const columns = key.map(({ column }, at) => (spec.frozen ? `k${at}` : column));
  const order = columns.join(', ');
  const texts = columns.map((column) => `cast(${column} as text)`).join(', ');
  return {
    sql: `/* forerun ${place.backfill} */ with ${SIZE}, forerun_sampled as (
  select ${order}, pg_catalog.ntile(${wanted}) over (order by ${order}) as forerun_tile
  from ${source} ${SAMPLED}
  where ${wanted} > 1
), forerun_edges as (
  select distinct on (forerun_tile) forerun_tile, pg_catalog.jsonb_build_array(${texts}) as forerun_edge from forerun_sampled
  order by forerun_tile, ${order}
), forerun_parts as (
  select 1 as number, cast(null as jsonb) as lower_key
  union all
  select cast(pg_catalog.row_number() over (order by forerun_tile) as integer) + 1, forerun_edge from forerun_edges where forerun_tile > 1
), forerun_begun as (
  update forerun.backfill b
  set key = cast(:key as jsonb), prepared_at = pg_catalog.clock_timestamp(), total = coalesce(b.total, (select rows from forerun_size)),
      ranges = (select cast(pg_catalog.count(*) as integer) from forerun_parts)
  from (select 1) as forerun_one
  where b.history = :history and b.id = :backfill and b.prepared_at is null and b.state = 'running' and b.checksum = :checksum
  returning b.history, b.id
), forerun_placed as (
  insert into forerun.backfill_range (history, backfill, number, lower_key, cursor_key, upper_key, batch_rows)
  select s.history, s.id, p.number, p.lower_key, p.lower_key, pg_catalog.lead(p.lower_key) over (order by p.number), :batch_rows
  from forerun_begun s, forerun_parts p
  returning history, number
)
insert into forerun.lease (history, name) select history, :leases || cast(number as text) from forerun_placed
on conflict (history, name) do update set token = forerun.lease.token + 1, holder = null, expires_at = null`,
    parameters: {
      ...placeOf(place),
      checksum: place.checksum,
      key: JSON.stringify(key.map(({ name, type }) => [name, type])),
      source,
      batch_rows: BigInt(spec.tuning.batchRows),
      leases: leasePrefix(place.backfill),
    },
  };
}

/** What is left beside the journal when all is done. */
export const dropTarget = ({ history, backfill }: BackfillPlace): Statement => ({
  sql: `drop table if exists ${targetTable(history, backfill)}`,
});

/** Before their number. */
const LEFT = 'rows whose where was still true when the closing sweep left them as they are: ';

/**
 * Done, if it is running and no range is open; its leases go. Where the sweep has met rows that the change leaves as they are,
 * that is its reason.
 */
export const finishBackfill = (place: BackfillPlace, worker: string | null): Statement => ({
  sql: `with swept as (
  select '${LEFT}' || cast(nullif(pg_catalog.sum(left_rows), 0.0) as text) as reason from forerun.backfill_range
  where history = :history and backfill = :backfill
), finished as (
  update forerun.backfill b set state = 'succeeded', finished_at = pg_catalog.clock_timestamp(), reason = swept.reason
  from swept where b.history = :history and b.id = :backfill and b.state = 'running' and b.prepared_at is not null
    and not exists (select from forerun.backfill_range r
                    where r.history = b.history and r.backfill = b.id and not r.ended)
  returning b.history, b.reason
), ${noted('finished', `'running'`, `'succeeded'`, 'null', 'finished.reason')}, freed as (
  delete from forerun.lease l using finished where l.history = finished.history and pg_catalog.starts_with(l.name, :leases)
)
select cast(pg_catalog.count(*) as integer) as finished, pg_catalog.max(reason) as reason from finished`,
  parameters: {
    ...placeOf(place),
    leases: leasePrefix(place.backfill),
    ...noteParameters({ move: 'work', reason: null, by: worker }),
  },
});
