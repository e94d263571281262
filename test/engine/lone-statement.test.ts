import { describe, expect, test } from 'vitest';
import { loneFormOf } from '../../lambda/engine/lone-statement.ts';
import { refusalOf } from '../authoring/refusal.ts';

describe('the form of a statement that commits alone', () => {
  test.each([
    ['create index concurrently a on t (x)', { index: 'a', table: 't' }],
    ['CREATE UNIQUE INDEX CONCURRENTLY a ON ONLY s.t USING btree (x)', { index: 'a', table: 's.t' }],
    [
      'create /* on u */ index concurrently "My ""index" on "S"."My t" (lower(x))',
      { index: '"My ""index"', table: '"S"."My t"' },
    ],
  ])('%j builds an index that the catalog proves', (sql, names) => {
    expect(loneFormOf(sql)).toEqual({ kind: 'create-index', ...names });
  });

  test.each([
    ['drop index concurrently a', 'a'],
    ['drop index concurrently if exists s."A" cascade', 's."A"'],
  ])('%j drops an index that the catalog proves gone', (sql, index) => {
    expect(loneFormOf(sql)).toEqual({ kind: 'drop-index', index });
  });

  test.each(['vacuum t', 'VACUUM (analyze) t'])('%j may be done again', (sql) => {
    expect(loneFormOf(sql)).toEqual({ kind: 'repeatable' });
  });

  test.each([
    'create index a on t (x)',
    'reindex table t',
    'drop index a',
    `insert into t values ('create index concurrently')`,
    `alter type mood add value 'good'`,
    'create table concurrently_built (n int)',
    'alter table t detach partition p',
  ])('%j is recorded with its effect', (sql) => {
    expect(loneFormOf(sql)).toEqual({ kind: 'recorded' });
  });

  test.each([
    ['create index concurrently on t (x)', 'needs a name'],
    ['create index concurrently if not exists a on t (x)', 'never finished'],
    ['create index concurrently a', 'could not be made out'],
    ['drop index concurrently', 'could not be made out'],
    ['alter table t detach partition p concurrently', 'cannot be told'],
    [`alter system set work_mem = '1GB'`, 'whole server'],
    ['create database other', 'whole server'],
    [`set local lock_timeout = '1s'`, 'every statement has its own'],
    ['savepoint a', 'needs a transaction'],
    ['vacuum full t', 'no lock timeout'],
    ['vacuum (full, analyze) t', 'no lock timeout'],
    ['reindex (verbose) table concurrently t', 'nobody finds again'],
  ])('%j is refused', async (sql, why) => {
    expect(await refusalOf(() => loneFormOf(sql))).toContain(why);
  });
});
