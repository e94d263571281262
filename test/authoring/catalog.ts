import type { FreshDatabase } from '../lifecycle/workplace.ts';

/** What PostgreSQL keeps of the schema `public`, one line an object, the same whenever the same things are there. */
export async function catalogOf(database: FreshDatabase): Promise<readonly string[]> {
  const rows = await database.query(`
    select line from (
      select format('column %s.%s %s %s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
          a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as line
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v')
      union all
      select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
        where connamespace = 'public'::regnamespace
      union all
      select format('index %s %s', pg_get_indexdef(indexrelid), indisvalid) from pg_index join pg_class c on c.oid = indexrelid
        where c.relnamespace = 'public'::regnamespace
      union all
      select format('view %s %s', oid::regclass, pg_get_viewdef(oid)) from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'v'
      union all
      select format('table %s %s', oid::regclass, obj_description(oid)) from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'r'
      union all
      select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
      union all
      select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = 'public'::regnamespace and not tgisinternal
      union all
      select format('enum %s %s', t.typname, string_agg(e.enumlabel, ',' order by e.enumsortorder))
        from pg_type t join pg_enum e on e.enumtypid = t.oid
        where t.typnamespace = 'public'::regnamespace group by t.typname
    ) as lines order by line`);
  return rows.map(({ line }) => String(line));
}
