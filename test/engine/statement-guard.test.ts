import { describe, expect, test } from 'vitest';
import { lexemesOf } from '../../lambda/engine/lexemes.ts';
import { readStatement, refuseTransactionControl } from '../../lambda/engine/statement-guard.ts';
import { refusalOf } from '../authoring/refusal.ts';

const CONTROL =
  'statement-refused: A migration cannot control its transaction: the run begins and commits it.';
const SET =
  'statement-refused: A plain set outlives the transaction and would leak to whoever uses the session next.';
const COPY =
  'statement-refused: copy from stdin and copy to stdout need a stream, which the Data API does not have.';
const DISCARD = 'statement-refused: discard works on the whole session, which is not the migration’s own.';
const SEVERAL = 'statement-refused: The text holds more than one statement.';

describe('the statement guard', () => {
  test.each([
    ['begin', CONTROL],
    ['BEGIN TRANSACTION', CONTROL],
    ['  \n-- first\n/* a /* nested */ one */ Commit', CONTROL],
    ['end', CONTROL],
    ['abort', CONTROL],
    ['rollback', CONTROL],
    ['rollback and chain', CONTROL],
    ["rollback prepared 'x'", CONTROL],
    ["commit prepared 'x'", CONTROL],
    ['start transaction', CONTROL],
    ["prepare transaction 'x'", CONTROL],
    ['set search_path to app', SET],
    ["set session statement_timeout = '1s'", SET],
    ['set role other', SET],
    [`select set_config('search_path', lower('APP'), false)`, SET],
    ['discard all', DISCARD],
    ['copy t from stdin', COPY],
    ['copy t (a, b) to stdout', COPY],
    ['select 1; select 2', SEVERAL],
    ["select ';'; drop table t", SEVERAL],
    ['insert into t values (1);;commit', SEVERAL],
  ])('refuses %j', async (sql, refusal) => {
    expect(await refusalOf(() => refuseTransactionControl(sql))).toBe(refusal);
  });

  test.each([
    `select set_config('a.b', 'false', true), false`,
    'rollback to savepoint a',
    'rollback work to a',
    'savepoint a',
    'release savepoint a',
    "set local lock_timeout = '1s'",
    'set constraints all deferred',
    'set transaction read only',
    'prepare q as select 1',
    'update t set begin = 1',
    '"commit"',
    "select 'a; b'",
    "select 'it''s; so'",
    String.raw`select E'\'; b'`,
    'select "a; b" from t',
    'select 1 -- ; more',
    'select 1 /* ; /* ; */ ; */',
    'select 1; -- the end',
    'select 1 ;\n;',
    'create function f() returns int language plpgsql as $$ begin; commit; end $$',
    'create function f() returns int language sql as $body$ select $$;$$; $body$',
    'create function f() returns int language sql begin atomic select 1; select 2; end',
    'do $do$ begin perform 1; end $do$',
    'select a$b$c; ',
    "copy t from '/tmp/file'",
    'commitment',
    '',
  ])('lets %j through', async (sql) => {
    expect(await refusalOf(() => refuseTransactionControl(sql))).toBe('nothing was refused');
  });
});

describe('reading a statement', () => {
  test('finds placeholders outside literals, comments and casts', () => {
    const sql = `select :a::int, ':b', ":c", $$ :d $$, E'\\' :e' /* :f */ -- :g\n from t where x = :h_1 and y[1:2] = z::text`;
    const found = [...lexemesOf(sql)].filter(({ kind }) => kind === 'placeholder');
    expect(found.map(({ text }) => text)).toEqual(['a', 'h_1']);
    expect(found.map(({ start, end }) => sql.slice(start, end))).toEqual([':a', ':h_1']);
  });

  test('ends with a literal that nobody closed', () => {
    expect(readStatement("select 'open; commit").hasSecondStatement).toBe(false);
    expect(readStatement('select $$open; commit').hasSecondStatement).toBe(false);
    expect(readStatement('select 1 /* open; commit').hasSecondStatement).toBe(false);
  });
});
