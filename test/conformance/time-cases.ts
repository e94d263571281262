// oxlint-disable vitest/no-standalone-expect -- describe-data-api.ts runs each case inside a test.
import { expect } from 'vitest';
import { type Api, type Case, controlled, parameters } from './subject.ts';

const LIMIT_MS = 45_000;

/** A lock that a statement can wait for: the only way to be slow without waiting for time. */
async function heldLock(api: Api): Promise<{ wait: string; waiting: string; free(): Promise<void> }> {
  const key = Math.floor(Math.random() * 1e9);
  const holder = await api.begin();
  await api.execute(`select pg_advisory_xact_lock(${key})::text`, { transactionId: holder });
  return {
    wait: `pg_advisory_xact_lock(${key})`,
    waiting: `select exists (select from pg_locks where locktype = 'advisory' and objid = ${key} and not granted)`,
    free: async () => void (await api.rollback(holder)),
  };
}

export const timeCases: readonly Case[] = [
  controlled(
    [44],
    'cancels a statement at the limit and leaves its transaction failed',
    async (api, controls) => {
      const lock = await heldLock(api);
      const transactionId = await api.begin();
      const slow = api.refusal(api.execute(`select ${lock.wait}::text`, { transactionId }));
      await api.until(lock.waiting);
      controls.advance(LIMIT_MS);
      const refusal = await slow;
      expect(refusal).toMatchObject({
        name: 'StatementTimeoutException',
        status: 400,
        dbConnectionId: expect.any(Number),
      });
      expect((await api.refusal(api.execute('select 1', { transactionId }))).message).toContain(
        'SQLState: 25P02',
      );
      await Promise.all([api.rollback(transactionId), lock.free()]);
    },
  ),
  controlled([44], 'cancels a statement outside a transaction and undoes it', async (api, controls) => {
    const [lock, table] = [await heldLock(api), api.fresh()];
    await api.execute(`create table ${table} (a text)`);
    const slow = api.refusal(api.execute(`insert into ${table} select ${lock.wait}::text`));
    await api.until(lock.waiting);
    controls.advance(LIMIT_MS);
    expect(await slow).toMatchObject({ name: 'StatementTimeoutException' });
    await lock.free();
    expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 0 });
  }),
  controlled(
    [45],
    'lets a statement go on after the limit where asked, and commits it',
    async (api, controls) => {
      const [lock, table] = [await heldLock(api), api.fresh()];
      await api.execute(`create table ${table} (a text)`);
      const insert = `insert into ${table} select ${lock.wait}::text`;
      const slow = api.refusal(api.execute(insert, { continueAfterTimeout: true }));
      await api.until(lock.waiting);
      controls.advance(LIMIT_MS);
      expect(await slow).toMatchObject({ name: 'StatementTimeoutException' });
      expect(await api.value(lock.waiting)).toStrictEqual({ booleanValue: true });
      await lock.free();
      await api.until(`select count(*) = 1 from ${table}`);
    },
  ),
  controlled([45, 35], 'keeps a transaction busy while its statement goes on', async (api, controls) => {
    const lock = await heldLock(api);
    const transactionId = await api.begin();
    const slow = api.refusal(
      api.execute(`select ${lock.wait}::text`, { transactionId, continueAfterTimeout: true }),
    );
    await api.until(lock.waiting);
    controls.advance(LIMIT_MS);
    await slow;
    const busy = await api.refusal(api.execute('select 1', { transactionId }));
    expect(busy.message).toBe('Transaction is still running a query');
    await lock.free();
    const free = async (): Promise<boolean> =>
      api.execute('select 1', { transactionId }).then(
        () => true,
        () => false,
      );
    while (!(await free()));
    expect(await api.commit(transactionId)).toBe('Transaction Committed');
  }),
  controlled([46], 'cancels a batch at the limit', async (api, controls) => {
    const [lock, table] = [await heldLock(api), api.fresh()];
    await api.execute(`create table ${table} (a text)`);
    const sets = [parameters({ a: { stringValue: 'x' } })];
    const slow = api.refusal(api.batch(`insert into ${table} select ${lock.wait}::text || :a`, sets));
    await api.until(lock.waiting);
    controls.advance(LIMIT_MS);
    expect(await slow).toMatchObject({ name: 'StatementTimeoutException' });
    await lock.free();
    expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 0 });
  }),
  controlled(
    [47],
    'refuses while the database wakes up, never with a transaction open',
    async (api, controls) => {
      const transactionId = await api.begin();
      expect(() => {
        controls.pause();
      }).toThrow(/never pauses/u);
      await api.rollback(transactionId);
      controls.pause();
      controls.advance(60_000);
      expect(await api.refusal(api.execute('select 1'))).toMatchObject({
        name: 'DatabaseResumingException',
        status: 400,
      });
      controls.advance(14_999);
      expect(await api.refusal(api.begin())).toMatchObject({ name: 'DatabaseResumingException' });
      controls.advance(1);
      expect(await api.value('select 1')).toStrictEqual({ longValue: 1 });
    },
  ),
];
