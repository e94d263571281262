import { block, quoteText } from './quote-text.ts';

/** What is told apart between views and functions. */
export interface Kind {
  readonly word: 'view' | 'function';
  /** SQL that finds the object by its name, or null. */
  readonly find: string;
  /** SQL for its definition as PostgreSQL keeps it; `present` is its oid. */
  readonly read: string;
  /** Statements that make a second one from a text, read it into `wanted`, and remove it again. */
  readonly compare: string;
  /** SQL expression for the statement that makes or replaces it. */
  readonly place: string;
  /** Reads owner, grants and comment into variables of the same names. */
  readonly remember: string;
  /** PostgreSQL's word for a definition that cannot stand in the place of the old one. */
  readonly misfit: 'invalid_table_definition' | 'invalid_function_definition';
  /** What would be lost if it were dropped for a moment: SQL query for one text over `present`, null where there is nothing. */
  readonly clings: string;
}

export interface Replacement {
  /** The name as SQL, quoted. */
  readonly name: string;
  /** The definition that must be there; undefined where nothing may be. */
  readonly from: string | undefined;
  /** The definition that shall be there; undefined to remove it. */
  readonly to: string | undefined;
}

/**
 * One statement that proves that the old definition is the one that is there, and puts the new one in its place. Where
 * PostgreSQL cannot replace it (columns or the result's type change), it is made anew, with the same owner, grants and comment.
 */
export function replacing(kind: Kind, { name, from, to }: Replacement): string {
  return block(`
declare
  present oid := ${kind.find};
  found text;
  wanted text;
  options text := '';
  owner text;
  grants aclitem[];
  remark text;
  permission record;
  losing text;
begin
${from === undefined ? absence(kind, name) : proof(kind, name, from)}
${to === undefined ? `  drop ${kind.word} ${name};` : placement(kind, name, to)}
end`);
}

function absence({ word }: Kind, name: string): string {
  return `  if present is not null then
    raise exception '%', ${quoteText(`the ${word} ${name} is there already; say in "from" what it is now`)};
  end if;`;
}

function proof({ word, read, compare }: Kind, name: string, from: string): string {
  return `  if present is null then
    raise exception '%', ${quoteText(`the ${word} ${name} is not there`)};
  end if;
  found := ${read};
  begin
    ${compare.replaceAll('@definition', () => quoteText(from))}
  exception when others then
    wanted := null;
  end;
  if wanted is distinct from found then
    raise exception '%', ${quoteText(`the ${word} ${name} is not the one that this migration replaces: somebody changed it`)};
  end if;`;
}

function placement({ word, place, remember, misfit, clings }: Kind, name: string, to: string): string {
  const create = place.replaceAll('@definition', () => quoteText(to));
  return `  ${remember}
  begin
    execute ${create};
  exception when ${misfit} then
    if present is null then raise; end if;
    losing := (${clings});
    if losing is not null then
      raise exception '%', ${quoteText(`the ${word} ${name} must be made anew, and this would be lost: `)} || losing;
    end if;
    drop ${word} ${name};
    execute ${create};
    execute format(${quoteText(`revoke all on ${word === 'view' ? 'table' : word} %s from public`)}, ${quoteText(name)});
    if owner <> current_user then
      execute format(${quoteText(`alter ${word} %s owner to %I`)}, ${quoteText(name)}, owner);
    end if;
    for permission in
      select privilege_type as right_to, is_grantable as further,
        case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as who
      from aclexplode(grants)
    loop
      execute format(${quoteText(`grant %s on ${word === 'view' ? 'table' : word} %s to %s%s`)}, permission.right_to, ${quoteText(name)},
        permission.who, case when permission.further then ' with grant option' else '' end);
    end loop;
    execute format(${quoteText(`comment on ${word} %s is %L`)}, ${quoteText(name)}, remark);
  end;`;
}
