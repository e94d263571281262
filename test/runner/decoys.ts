/** Types that meet in an operator, and the operators. */
const PAIRS: readonly (readonly [left: string, right: string, operators: string])[] = [
  ['numbers', 'numbers', '+ - * / % & = <> < <= > >='],
  ['numbers', 'times', '* + -'],
  ['times', 'numbers', '* / + -'],
  ['times', 'times', '+ - = <> < <= > >='],
  ['texts', 'texts', '|| = <> < <= > >= ~'],
  ['texts', 'numbers', '|| ='],
  ['numbers', 'texts', '|| ='],
  ['texts', 'others', '|| ='],
  ['others', 'texts', '|| ='],
  ['oids', 'oids', '= <> < >'],
  ['arrays', 'arrays', '|| = <> < > @>'],
  ['others', 'others', '|| = <> @>'],
];

/**
 * Functions and operators of somebody who may do nothing but create in the schema public: wherever PostgreSQL's own are no exact
 * match for two types that may meet, there is one that is, and PostgreSQL takes it. Each that runs draws a number from the
 * sequence `public.decoys`, which no rollback takes back, and fails.
 */
export const PLANT_DECOYS = `do $plant$
declare
  groups constant jsonb := '{"numbers": ["smallint", "integer", "bigint", "numeric", "real", "double precision"],
    "times": ["timestamptz", "interval"], "texts": ["text", "varchar", "name", "\\"char\\""], "oids": ["oid", "regclass", "integer", "bigint"],
    "arrays": ["smallint[]", "oid[]", "text[]", "int2vector", "oidvector"], "others": ["jsonb", "boolean", "xid8", "xid"]}';
  body constant text := 'begin perform pg_catalog.nextval(''public.decoys''); raise exception ''the decoy %%'', %L; end';
  one text;
  other text;
  operator text;
  called text;
  pair jsonb;
begin
  create role mallory;
  grant create on schema public to mallory;
  set local role mallory;
  set local check_function_bodies = off;
  create sequence public.decoys;
  grant all on sequence public.decoys to public;
  for called, one in
    select distinct p.proname, t.one from pg_catalog.pg_proc p, pg_catalog.jsonb_each(groups) g, jsonb_array_elements_text(g.value) as t (one)
    where p.pronamespace = 'pg_catalog'::regnamespace and p.proname in ('to_jsonb', 'pg_relation_size', 'ceil', 'count', 'array_agg',
      'jsonb_agg', 'lead', 'json_array_elements', 'pg_partition_tree', 'decode')
      and not exists (select from pg_catalog.pg_proc q where q.proname = p.proname and q.pronargs = 1 and q.proargtypes[0] = t.one::regtype)
  loop
    execute format('create function public.%I(%s) returns bigint language plpgsql as %L', called, one, format(body, called || ' of ' || one));
  end loop;
  for pair in select * from jsonb_array_elements('${JSON.stringify(PAIRS)}') loop
    for one, other, operator in
      select * from jsonb_array_elements_text(groups -> (pair ->> 0)) as l, jsonb_array_elements_text(groups -> (pair ->> 1)) as r,
        unnest(string_to_array(pair ->> 2, ' '))
    loop
      continue when exists (select from pg_catalog.pg_operator o
        where o.oprname = operator and o.oprleft = one::regtype and o.oprright = other::regtype);
      execute format('create function public.%I(%s, %s) returns %s language plpgsql as %L', 'decoy of ' || operator, one, other,
        case when operator in ('=', '<>', '<', '<=', '>', '>=', '@>', '~') then 'boolean' when 'interval' in (one, other) then 'interval'
             when operator = '||' then 'text' else one end,
        format(body, one || ' ' || operator || ' ' || other));
      execute format('create operator public.%s (leftarg = %s, rightarg = %s, function = public.%I)', operator, one, other,
        'decoy of ' || operator);
    end loop;
  end loop;
end $plant$`;
