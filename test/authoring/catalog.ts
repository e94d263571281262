import type { FreshDatabase } from '../lifecycle/workplace.ts';

/** What PostgreSQL keeps of the user's schemas, one line an object, the same whenever the same things are there. */
export async function catalogOf(database: FreshDatabase): Promise<readonly string[]> {
  const rows = await database.query(`
    with own as (
      select oid from pg_namespace where nspname !~ '^pg_|^information_schema$|^forerun'
    )
    select line from (
      select format('column %s.%s %s %s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
          a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as line
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where c.relnamespace in (select * from own) and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v')
      union all
      select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
        where connamespace in (select * from own)
      union all
      select format('index %s %s', pg_get_indexdef(indexrelid), indisvalid) from pg_index join pg_class c on c.oid = indexrelid
        where c.relnamespace in (select * from own)
      union all
      select format('view %s %s', oid::regclass, pg_get_viewdef(oid)) from pg_class
        where relnamespace in (select * from own) and relkind = 'v'
      union all
      select format('table %s %s', oid::regclass, obj_description(oid)) from pg_class
        where relnamespace in (select * from own) and relkind = 'r'
      union all
      select pg_get_functiondef(oid) from pg_proc where pronamespace in (select * from own)
      union all
      select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace in (select * from own) and not tgisinternal
      union all
      select format('enum %s %s', t.typname, string_agg(e.enumlabel, ',' order by e.enumsortorder))
        from pg_type t join pg_enum e on e.enumtypid = t.oid
        where t.typnamespace in (select * from own) group by t.typname
    ) as lines order by line`);
  return rows.map(({ line }) => String(line));
}
