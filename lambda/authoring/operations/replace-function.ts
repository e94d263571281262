import { operation } from '../operation.ts';
import { quoteText } from './quote-text.ts';
import { replacing, type Kind } from './replacement.ts';

export interface FunctionArgument {
  /** Name and types of the arguments as SQL: `slug_of(text)`, `app."slugOf"(text, integer)`. */
  readonly name: string;
  /** The whole `create or replace function …` that made it; leave it out where the function is new. */
  readonly from?: string;
  /** The whole `create or replace function …` that shall take its place. */
  readonly to: string;
}

/**
 * Makes a function or replaces it; `down` brings the old one back. Both definitions stand in the migration, so the way back
 * does not depend on anything that is kept elsewhere; and in both directions the database is first asked whether the function
 * is the one to be replaced. Owner, grants and comment stay.
 *
 * @throws ForerunError `migration-failed` when the function is not what `from` says.
 * @example
 * operations: [
 *   replaceFunction.with({
 *     name: 'slug_of(text)',
 *     to: `create or replace function slug_of(title text) returns text language sql immutable as $$ select lower(title) $$`,
 *   }),
 * ]
 */
export const replaceFunction = operation({
  name: 'replace function',
  describe: ({ name }: FunctionArgument) => name,
  transaction: true,
  up: ({ op }, { name, from, to }) => op.execute(replacing(functionKind(name), { name, from, to })),
  down: ({ op }, { name, from, to }) =>
    op.execute(replacing(functionKind(name), { name, from: to, to: from })),
});

function functionKind(name: string): Kind {
  const find = `to_regprocedure(${quoteText(name)})`;
  return {
    word: 'function',
    find,
    read: 'pg_get_functiondef(present)',
    // The old text again in its own place changes nothing, unless it is not the text of what is there.
    compare: `execute @definition;
    wanted := pg_get_functiondef(${find});`,
    place: '@definition',
    remember: `select pg_get_userbyid(p.proowner), coalesce(p.proacl, acldefault('f', p.proowner)), obj_description(p.oid, 'pg_proc')
    into owner, grants, remark from pg_proc p where p.oid = present;`,
    misfit: 'invalid_function_definition',
    clings: 'null',
  };
}
