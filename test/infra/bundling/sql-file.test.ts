import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSqlFile } from '../../../infra/bundling/sql-file.ts';
import { folderOf } from '../folder.ts';
import { refusalTextOf } from './refusal-text.ts';

const read = (text: string | Uint8Array): ReturnType<typeof readSqlFile> => {
  const directory = folderOf({ 'seed.sql': text });
  return readSqlFile(join(directory, 'seed.sql'), directory);
};

const texts = async (text: string): Promise<readonly string[]> => (await read(text)).map(({ sql }) => sql);

describe('a .sql file', () => {
  test('is cut where PostgreSQL cuts it, each statement with its line', async () => {
    const text = `-- Grüße; 😀
create table a (b text);

/* one; two */ insert into a values ('x;y');
create function f() returns int language plpgsql as $$
begin
  return 1;
end;
$$;
create function g() returns int language sql begin atomic select 1; select 2; end;
select 'ü😀' as last -- the end`;
    expect(await read(text)).toEqual([
      { line: 2, sql: 'create table a (b text)' },
      { line: 4, sql: "insert into a values ('x;y')" },
      {
        line: 5,
        sql: 'create function f() returns int language plpgsql as $$\nbegin\n  return 1;\nend;\n$$',
      },
      {
        line: 10,
        sql: 'create function g() returns int language sql begin atomic select 1; select 2; end',
      },
      { line: 11, sql: "select 'ü😀' as last -- the end" },
    ]);
  });

  test.each([
    ['nothing', ''],
    ['blanks', ' \n\t'],
    ['comments', '-- nothing\n/* to do */'],
    ['semicolons', ';;\n;'],
  ])('may hold nothing but %s', async (_what, text) => {
    expect(await read(text)).toEqual([]);
  });

  test('tells equal statements apart by their lines', async () => {
    const text = 'select 1;\nselect 1;\n\nselect 1';
    expect((await read(text)).map(({ line }) => line)).toEqual([1, 2, 4]);
  });

  test('reads the same with a byte order mark and line ends of Windows', async () => {
    const unix = 'select 1;\nselect $$\n$$;\n';
    expect(await read(`\uFEFF${unix.replaceAll('\n', '\r\n')}`)).toEqual(await read(unix));
  });

  test('keeps the comments within a statement', async () => {
    expect(await texts('select /*+ hint */ 1 -- one\n, 2;')).toEqual(['select /*+ hint */ 1 -- one\n, 2']);
  });

  test('takes set local, savepoints and what merely reads like transaction control', async () => {
    const kept = ['set local lock_timeout = 1', 'savepoint a', 'rollback to a', "select 'commit'"];
    expect(await texts(kept.join(';\n'))).toEqual(kept);
  });

  const long = `select '${'x'.repeat(65_536)}'`;

  const refusals: readonly (readonly [
    what: string,
    text: string,
    at: string,
    message: string,
    frame: string,
  ])[] = [
    [
      'an unfinished string',
      "select 1;\nselect 'abc\n\n",
      '2:8',
      `unterminated quoted string at or near "'abc…`,
      "  2 | select 'abc\n             ^",
    ],
    [
      'an unfinished dollar quote',
      'select $$a',
      '1:8',
      'unterminated dollar-quoted string at or near "$$a"',
      '',
    ],
    ['an unfinished comment', 'select 1; /* a', '1:11', 'unterminated /* comment at or near "/* a"', ''],
    [
      'a wrong word',
      "select 'ü😀', oops oops oops",
      '1:25',
      'syntax error at or near "oops"',
      `\n${' '.repeat(30)}^`,
    ],
    ['an end too early', 'select (', '1:9', 'syntax error at end of input', ''],
    [
      'commit',
      'select 1;\n commit;',
      '2:2',
      'A migration cannot control its transaction',
      '  2 |  commit;\n       ^',
    ],
    ['begin', 'begin;', '1:1', 'A migration cannot control its transaction', ''],
    ['a plain set', 'set search_path = a;', '1:1', 'A plain set outlives the transaction', ''],
    ['a command of psql', 'select 1;\n\\set a 1', '2:1', 'a command of psql stands here', ''],
    ['a command of psql behind a query', 'select 1 \\gset', '1:10', 'a command of psql stands here', ''],
    [
      'copied rows',
      'select 1;\ncopy t from stdin;\n1\t2\n\\.\n',
      '2:1',
      'copy from stdin and copy to stdout need a stream',
      '',
    ],
    [
      'copy from stdin without rows',
      'copy t from stdin',
      '1:1',
      'copy from stdin and copy to stdout need a stream',
      '',
    ],
    ['a placeholder', 'select 1 where 2 = :two', '1:20', 'a .sql file takes no values', ''],
    ['a variable of psql', "select :'two'", '1:8', 'a .sql file takes no values', ''],
    ['a statement that is too long', `select 1;\n${long}`, '2:1', 'this statement has 65,545 characters', ''],
  ];

  test.each(refusals)('is refused with %s', async (_what, text, at, message, frame) => {
    const refusal = await refusalTextOf(() => read(text));
    expect(refusal.what).toContain(`migrations/seed.sql:${at}: `);
    expect(refusal.what).toContain(message);
    expect(refusal.next).toContain(frame);
    expect(refusal.next.length).toBeLessThan(400);
  });

  test('is refused with the character U+0000, behind which the parser would be blind', async () => {
    const { what } = await refusalTextOf(() => read('select 1;\nselect 2\u0000; commit'));
    expect(what).toBe('migrations/seed.sql:2: the character U+0000 stands there.');
  });

  test('is refused in another encoding', async () => {
    const latin = Buffer.from("select 'grün'", 'latin1');
    expect((await refusalTextOf(() => read(latin))).what).toBe('migrations/seed.sql is not UTF-8.');
  });

  test('is refused over four million characters, with the way that needs fewer calls', async () => {
    const refusal = await refusalTextOf(() => read('-- x\n'.repeat(900_000)));
    expect(refusal.what).toContain('has 4,500,000 characters');
    expect(refusal.next).toContain('op.bulkInsert');
  });
});
