import { operation } from '../operation.ts';
import { quoteName } from '../quote-name.ts';
import { besideTable, bareName } from './names.ts';
import { quoteText } from './quote-text.ts';
import { replacing, type Kind } from './replacement.ts';

export interface ViewArgument {
  /** The view, with its schema where it has one. */
  readonly name: string;
  /** The query that the view has now; leave it out where the view is new. */
  readonly from?: string;
  /** The query that it shall have. */
  readonly to: string;
}

/**
 * Makes a view or replaces its query; `down` brings the old query back. Both queries stand in the migration, so the way back
 * does not depend on anything that is kept elsewhere; and in both directions the database is first asked whether the view is
 * the one to be replaced. Owner, grants, options and comment stay.
 * Where columns go or change their type, the view is made anew: a view with triggers, rules, column defaults, grants on columns or
 * comments on columns is then refused, because it would lose them.
 *
 * @throws ForerunError `migration-failed` when the view is not what `from` says, or would lose something.
 * @example operations: [replaceView.with({ name: 'readable', from: 'select id from articles', to: 'select id, title from articles' })]
 */
export const replaceView = operation({
  name: 'replace view',
  describe: ({ name }: ViewArgument) => name,
  transaction: true,
  up: ({ op }, { name, from, to }) =>
    op.execute(replacing(viewKind(name), { name: quoteName(name), from, to })),
  down: ({ op }, { name, from, to }) =>
    op.execute(replacing(viewKind(name), { name: quoteName(name), from: to, to: from })),
});

function viewKind(name: string): Kind {
  const twin = besideTable(name, `${bareName(name).slice(0, 45)}__compared`);
  const view = quoteText(quoteName(name));
  return {
    word: 'view',
    find: `to_regclass(${view})`,
    read: 'pg_get_viewdef(present)',
    compare: `execute ${quoteText(`create view ${twin} as `)} || @definition;
    wanted := pg_get_viewdef(${quoteText(twin)}::regclass);
    execute ${quoteText(`drop view ${twin}`)};`,
    place: `${quoteText(`create or replace view ${quoteName(name)}`)} || options || ' as ' || @definition`,
    remember: `select coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', ''), pg_get_userbyid(c.relowner),
      coalesce(c.relacl, acldefault('r', c.relowner)), obj_description(c.oid, 'pg_class')
    into options, owner, grants, remark from pg_class c where c.oid = present;
  options := coalesce(options, '');`,
    misfit: 'invalid_table_definition',
    clings: `select string_agg(what, ', ' order by what) from (
        select 'trigger ' || quote_ident(t.tgname) from pg_trigger t where t.tgrelid = present
        union all select 'rule ' || quote_ident(r.rulename) from pg_rewrite r where r.ev_class = present and r.rulename <> '_RETURN'
        union all select 'default of ' || quote_ident(a.attname) from pg_attribute a where a.attrelid = present and a.atthasdef
        union all select 'grants on ' || quote_ident(a.attname) from pg_attribute a where a.attrelid = present and a.attacl is not null
        union all select 'comment on ' || quote_ident(a.attname) from pg_attribute a
          where a.attrelid = present and a.attnum > 0 and col_description(present, a.attnum) is not null
      ) as clinging(what)`,
  };
}
