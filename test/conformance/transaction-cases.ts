// oxlint-disable vitest/no-standalone-expect -- describe-data-api.ts runs each case inside a test.
import { BeginTransactionCommand } from '@aws-sdk/client-rds-data';
import { expect } from 'vitest';
import { type Case, controlled, parameters } from './subject.ts';

export const transactionCases: readonly Case[] = [
  {
    rules: [33],
    title: 'runs a batch once for each set and answers once for each',
    async run(api) {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int)`);
      const insert = `insert into ${table} values (:a) returning a`;
      const sets = [1, 2].map((longValue) => parameters({ a: { longValue } }));
      expect(await api.batch(insert, sets)).toStrictEqual([{ generatedFields: [] }, { generatedFields: [] }]);
      await api.batch(insert, []);
      await api.batch(insert, undefined);
      expect(await api.batch(`insert into ${table} values (9)`, [[]])).toHaveLength(1);
      expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 3 });
    },
  },
  {
    rules: [33],
    title: 'undoes a whole batch with its transaction',
    async run(api) {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int primary key)`);
      const transactionId = await api.begin();
      const sets = [1, 1].map((longValue) => parameters({ a: { longValue } }));
      const refusal = await api.refusal(api.batch(`insert into ${table} values (:a)`, sets, transactionId));
      expect(refusal.message).toContain('SQLState: 23505');
      await api.rollback(transactionId);
      expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 0 });
    },
  },
  {
    rules: [34, 38],
    title: 'keeps a transaction in one session, unseen by others until it commits',
    async run(api) {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int)`);
      const transactionId = await api.begin();
      await api.execute(`insert into ${table} values (1)`, { transactionId });
      const count = `select count(*) from ${table}`;
      expect(await api.value(count, {}, { transactionId })).toStrictEqual({ longValue: 1 });
      expect(await api.value(count)).toStrictEqual({ longValue: 0 });
      expect(await api.commit(transactionId)).toBe('Transaction Committed');
      expect(await api.value(count)).toStrictEqual({ longValue: 1 });
    },
  },
  {
    rules: [34],
    title: 'gives out ids that differ, of at most 192 characters, good for their own database only',
    async run(api) {
      const [first, second] = await Promise.all([api.begin(), api.begin()]);
      expect(first).not.toBe(second);
      expect(first.length).toBeLessThanOrEqual(192);
      const elsewhere = api.execute('select 1', { transactionId: first, database: 'postgres' });
      expect(await api.refusal(elsewhere)).toMatchObject({ status: 400 });
      await Promise.all([api.rollback(first), api.rollback(second)]);
    },
  },
  {
    rules: [35],
    title: 'refuses a second call on a busy transaction at once',
    async run(api) {
      const [transactionId, holder] = [await api.begin(), await api.begin()];
      const key = Math.floor(Math.random() * 1e9);
      await api.execute(`select pg_advisory_xact_lock(${key})::text`, { transactionId: holder });
      const waiting = api.execute(`select pg_advisory_xact_lock(${key})::text`, { transactionId });
      await api.until(
        `select exists (select from pg_locks where locktype = 'advisory' and objid = ${key} and not granted)`,
      );
      for (const call of [
        api.execute('select 1', { transactionId }),
        api.commit(transactionId),
        api.rollback(transactionId),
      ]) {
        expect(await api.refusal(call)).toMatchObject({
          name: 'DatabaseErrorException',
          message: 'Transaction is still running a query',
        });
      }
      await api.rollback(holder);
      await waiting;
      expect(await api.rollback(transactionId)).toBe('Rollback Complete');
    },
  },
  controlled(
    [36, 37],
    'rolls back a transaction that stands idle for three minutes',
    async (api, controls) => {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int)`);
      const transactionId = await api.begin();
      await api.execute(`insert into ${table} values (1)`, { transactionId });
      controls.advance(179_000);
      await api.execute('select 1', { transactionId });
      controls.advance(179_000);
      await api.execute('select 1', { transactionId });
      controls.advance(180_000);
      const refusal = await api.refusal(api.commit(transactionId));
      expect(refusal).toMatchObject({ name: 'TransactionNotFoundException', status: 404 });
      expect(refusal.message).toContain('may be expired');
      // Waits for the locks of the old transaction.
      await api.execute(`alter table ${table} add b int`);
      expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 0 });
    },
  ),
  controlled([36], 'ends a transaction after a day, however busy it is', async (api, controls) => {
    const transactionId = await api.begin();
    for (let minutes = 0; minutes < 24 * 60; minutes += 2) {
      await api.execute('select 1', { transactionId });
      controls.advance(120_000);
    }
    expect(await api.refusal(api.execute('select 1', { transactionId }))).toMatchObject({
      name: 'TransactionNotFoundException',
    });
  }),
  {
    rules: [37, 38],
    title: 'does not find a transaction that ended or never was',
    async run(api) {
      const transactionId = await api.begin();
      expect(await api.rollback(transactionId)).toBe('Rollback Complete');
      for (const call of [api.rollback(transactionId), api.commit(transactionId)]) {
        const refusal = await api.refusal(call);
        expect(refusal).toMatchObject({ name: 'TransactionNotFoundException', status: 404 });
        expect(refusal.message).toContain('One previous call resulted in a termination');
      }
      const unknown = await api.refusal(api.execute('select 1', { transactionId: 'never' }));
      expect(unknown).toMatchObject({ name: 'TransactionNotFoundException', status: 404 });
    },
  },
  {
    rules: [39],
    title: 'fails every statement after an error, and a commit then commits nothing and does not say so',
    async run(api) {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int)`);
      const transactionId = await api.begin();
      await api.execute(`insert into ${table} values (1)`, { transactionId });
      await api.refusal(api.execute('select 1/0', { transactionId }));
      const refusal = await api.refusal(api.execute('select 1', { transactionId }));
      expect(refusal.message).toContain('SQLState: 25P02');
      expect(await api.refusal(api.commit(transactionId))).toMatchObject({ name: 'DatabaseErrorException' });
      expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 0 });
      expect(await api.refusal(api.rollback(transactionId))).toMatchObject({
        name: 'TransactionNotFoundException',
      });
    },
  },
  {
    rules: [39],
    title: 'says with its SQLSTATE that a deferred constraint refused the commit',
    async run(api) {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int primary key deferrable initially deferred)`);
      const transactionId = await api.begin();
      await api.execute(`insert into ${table} values (1), (1)`, { transactionId });
      expect((await api.refusal(api.commit(transactionId))).message).toContain('SQLState: 23505');
      expect(await api.refusal(api.commit(transactionId))).toMatchObject({
        name: 'TransactionNotFoundException',
      });
    },
  },
  {
    rules: [41],
    title: 'knows set, savepoints and commit as SQL',
    async run(api) {
      const table = api.fresh();
      const transactionId = await api.begin();
      await api.execute('set local search_path = pg_catalog, public', { transactionId });
      expect(await api.value("select current_setting('search_path')", {}, { transactionId })).toStrictEqual({
        stringValue: 'pg_catalog, public',
      });
      await api.execute(`create table public.${table} (a int)`, { transactionId });
      await api.execute('savepoint s', { transactionId });
      await api.refusal(api.execute('select 1/0', { transactionId }));
      await api.execute('rollback to savepoint s', { transactionId });
      await api.execute('commit', { transactionId });
      expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 0 });
      expect(await api.rollback(transactionId)).toBe('Rollback Complete');
    },
  },
  {
    rules: [43],
    title: "isolates as the engine does by default, or as a transaction's first statement says",
    async run(api) {
      const transactionId = await api.begin();
      await api.execute('set transaction isolation level serializable', { transactionId });
      const inside = await api.value(
        "select current_setting('transaction_isolation')",
        {},
        { transactionId },
      );
      await api.rollback(transactionId);
      expect(inside).toStrictEqual({ stringValue: 'serializable' });
      expect(await api.value("select current_setting('transaction_isolation')")).toStrictEqual({
        stringValue: 'read committed',
      });
    },
  },
  {
    rules: [8, 34],
    title: 'begins nothing on a database that is not there',
    async run(api) {
      const begin = new BeginTransactionCommand({ ...api.names, database: 'not_there' });
      expect((await api.refusal(api.subject.client.send(begin))).message).toContain('SQLState: 3D000');
    },
  },
];
