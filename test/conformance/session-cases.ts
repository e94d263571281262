// oxlint-disable vitest/no-standalone-expect -- describe-data-api.ts runs each case inside a test.
import { expect } from 'vitest';
import { type Case, parameters } from './subject.ts';

export const sessionCases: readonly Case[] = [
  {
    rules: [21],
    title: 'shows a stale plan where a table changed under the same text',
    async run(api) {
      const table = api.fresh();
      const transactionId = await api.begin();
      await api.execute(`create table ${table} (a int)`, { transactionId });
      await api.execute(`select * from ${table}`, { transactionId });
      await api.execute(`alter table ${table} add b int`, { transactionId });
      const refusal = await api.refusal(api.execute(`select * from ${table}`, { transactionId }));
      await api.rollback(transactionId);
      expect(refusal.message).toContain('cached plan must not change result type');
      expect(refusal.message).toContain('SQLState: 0A000');
    },
  },
  {
    rules: [40],
    title: 'runs outside a transaction what PostgreSQL refuses inside one',
    async run(api) {
      const name = api.fresh();
      await api.execute(`create table ${name} (a int)`);
      await api.execute(`create index concurrently ${name}_i on ${name} (a)`);
      await api.execute(`vacuum ${name}`);
      await api.execute(`create database ${name}`);
      await api.execute(`drop database ${name}`);
      const transactionId = await api.begin();
      const refusal = await api.refusal(api.execute(`vacuum ${name}`, { transactionId }));
      await api.rollback(transactionId);
      expect(refusal.message).toContain('SQLState: 25001');
    },
  },
  {
    rules: [40],
    title: 'lets no setting, temporary table, lock or role outlive its call',
    async run(api) {
      const name = api.fresh();
      const key = Math.floor(Math.random() * 1e9);
      await api.execute("set search_path = 'nowhere'");
      await api.execute(`create temporary table ${name} (a int)`);
      await api.execute(`select pg_advisory_lock(${key})::text`);
      await api.execute('set role pg_monitor');
      const left = await api.execute(`
        select current_setting('search_path') = 'nowhere', to_regclass('pg_temp.${name}') is not null,
               exists (select from pg_locks where locktype = 'advisory' and objid = ${key}), current_user = 'pg_monitor'`);
      expect(left.records).toStrictEqual([Array.from({ length: 4 }, () => ({ booleanValue: false }))]);
    },
  },
  {
    rules: [40],
    title: 'does not suffer from prepared statements that somebody took away',
    async run(api) {
      await api.execute('select 41 + 1');
      await api.execute('deallocate all');
      // Real pools hold several sessions: whichever was emptied answers with an error at most once.
      const first = await api.execute('select 41 + 1').then(
        () => 'fine',
        (error: Error) => error.message,
      );
      expect(first).toMatch(/^fine$|SQLState: 26000/u);
      expect(await api.value('select 41 + 1')).toStrictEqual({ longValue: 42 });
    },
  },
  {
    rules: [40],
    title: 'lets nothing of a transaction outlive it',
    async run(api) {
      const transactionId = await api.begin();
      await api.execute("set statement_timeout = '7s'", { transactionId });
      await api.commit(transactionId);
      const after = await api.execute("select current_setting('statement_timeout')");
      expect(after.records).not.toStrictEqual([[{ stringValue: '7s' }]]);
    },
  },
  {
    rules: [40],
    title: 'commits each statement by itself, and keeps the sets before a failing one in a batch',
    async run(api) {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int primary key)`);
      const sets = [1, 2, 1].map((longValue) => parameters({ a: { longValue } }));
      await api.refusal(api.batch(`insert into ${table} values (:a)`, sets));
      expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 2 });
    },
  },
];
