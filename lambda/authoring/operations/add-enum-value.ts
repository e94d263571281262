import { operation } from '../operation.ts';
import { quoteName } from '../quote-name.ts';
import { block, quoteText } from './quote-text.ts';

export interface EnumValueArgument {
  /** The enum type, with its schema where it has one. */
  readonly type: string;
  /** The new value. */
  readonly value: string;
  /** A value that it shall come before; at the end where neither is said. */
  readonly before?: string;
  /** A value that it shall come after. */
  readonly after?: string;
}

/**
 * Adds a value to an enum. Needs `transaction: false`, because PostgreSQL lets nobody use the value before it is committed.
 * PostgreSQL cannot remove one: `down` builds the type anew without it and moves every column over, which rewrites and
 * locks their tables, and is refused while a row, a view or a constraint still uses the type in a way that stands against it.
 *
 * @example operations: [addEnumValue.with({ type: 'mood', value: 'curious', after: 'happy' })]
 */
export const addEnumValue = operation({
  name: 'add enum value',
  describe: ({ type, value }: EnumValueArgument) => `${value} to ${type}`,
  transaction: false,
  up: ({ op }, { type, value, before, after }) =>
    op.execute(`alter type ${quoteName(type)} add value ${quoteText(value)}${placeOf(before, after)}`),
  down: ({ op }, { type, value }) => op.execute(removal(type, value)),
});

function placeOf(before: string | undefined, after: string | undefined): string {
  if (before !== undefined) return ` before ${quoteText(before)}`;
  return after === undefined ? '' : ` after ${quoteText(after)}`;
}

/** What the columns hold and default to is written down first: once the type has another name, it would be shown with that. */
function removal(type: string, value: string): string {
  return block(`
declare
  old_type constant oid := ${quoteText(quoteName(type))}::regtype;
  type_name text;
  old_name text;
  labels text;
  moves text[];
  move text;
begin
  select format('%I.%I', n.nspname, t.typname), format('%I.%I', n.nspname, left(t.typname, 50) || '__before_down')
    into type_name, old_name
    from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.oid = old_type;
  select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) into labels
    from pg_enum where enumtypid = old_type and enumlabel <> ${quoteText(value)};
  select array_agg(
      format('alter table %s ', a.attrelid::regclass)
      || format('alter column %I drop default, ', a.attname)
      || format('alter column %1$I type %2$s using %1$I::text%3$s::%2$s', a.attname,
           type_name || case when a.atttypid = old_type then '' else '[]' end,
           case when a.atttypid = old_type then '' else '[]' end)
      || coalesce(format(', alter column %I set default ', a.attname) || pg_get_expr(d.adbin, d.adrelid), ''))
    into moves
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and not c.relispartition
    join pg_type t on t.oid = old_type
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.atttypid in (old_type, t.typarray) and not a.attisdropped;
  execute format('alter type %s rename to %I', type_name, (parse_ident(old_name))[2]);
  execute format('create type %s as enum (%s)', type_name, labels);
  foreach move in array coalesce(moves, '{}') loop
    execute move;
  end loop;
  execute format('drop type %s', old_name);
end`);
}
