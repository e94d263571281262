// oxlint-disable vitest/no-standalone-expect -- describe-data-api.ts runs each case inside a test.
import { RDSDataClient, ExecuteStatementCommand } from '@aws-sdk/client-rds-data';
import { expect } from 'vitest';
import type { FaultKind } from '../../local/data-api/faults.ts';
import { type Api, type Case, controlled } from './subject.ts';

const COUNTER = 'fault_counter';

async function counted(api: Api, sql: string): Promise<bigint> {
  const answer = await api.value(sql);
  return BigInt(answer?.longValue ?? -1);
}

/** A fault, whether the statement took effect, and what the client sees. */
const FAULTS: readonly (readonly [FaultKind, boolean, { name?: string; status?: number }])[] = [
  ['drop-before', false, {}],
  ['drop-after', true, {}],
  ['half-body', true, {}],
  ['status-500', true, { name: 'InternalServerErrorException', status: 500 }],
  ['status-502', true, { status: 502 }],
  ['status-503', true, { name: 'ServiceUnavailableError', status: 503 }],
  ['status-504', true, { name: 'DatabaseUnavailableException', status: 504 }],
  ['sql-exception', true, { name: 'DatabaseErrorException', status: 400 }],
  ['throttle', false, { name: 'ThrottlingException', status: 400 }],
  ['resuming', false, { name: 'DatabaseResumingException', status: 400 }],
  ['secret-rotated', false, { name: 'DatabaseErrorException', status: 400 }],
  ['unavailable', false, { name: 'DatabaseUnavailableException', status: 504 }],
];

export const faultCases: readonly Case[] = [
  ...FAULTS.map(([kind, effect, seen]) =>
    controlled(
      [48],
      `${kind}: the statement ${effect ? 'took effect' : 'did nothing'}`,
      async (api, controls) => {
        const sequence = `${COUNTER}_${api.fresh()}`;
        await api.execute(`create sequence ${sequence}`);
        const fault = controls.faults.next({ kind, where: ({ sql }) => sql?.includes('nextval') === true });
        const refusal = await api.refusal(api.execute(`select nextval('${sequence}')`));
        await fault.struck;
        expect(refusal).toMatchObject(seen);
        expect(refusal.name).not.toBe('NothingRefused');
        expect(await counted(api, `select nextval('${sequence}')`)).toBe(effect ? 2n : 1n);
      },
    ),
  ),
  controlled([48], 'loses the answer of a commit that took place', async (api, controls) => {
    const table = api.fresh();
    await api.execute(`create table ${table} (a int)`);
    const transactionId = await api.begin();
    await api.execute(`insert into ${table} values (1)`, { transactionId });
    controls.faults.next({ kind: 'drop-after', operation: 'CommitTransaction' });
    const refusal = await api.refusal(api.commit(transactionId));
    expect(refusal.name).not.toBe('NothingRefused');
    expect(refusal.status).toBeUndefined();
    expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 1 });
  }),
  controlled([48], 'strikes the n-th call of its kind and no other', async (api, controls) => {
    controls.faults.next({ kind: 'throttle', operation: 'ExecuteStatement', nth: 2 });
    await api.rollback(await api.begin());
    await api.execute('select 1');
    expect(await api.refusal(api.execute('select 2'))).toMatchObject({ name: 'ThrottlingException' });
    await api.execute('select 3');
  }),
  controlled([48], 'holds a call until it is released', async (api, controls) => {
    const table = api.fresh();
    await api.execute(`create table ${table} (a int)`);
    const fault = controls.faults.next({
      kind: 'hold-after',
      where: ({ sql }) => sql?.startsWith('insert') === true,
    });
    let answered = false;
    const call = api.execute(`insert into ${table} values (1)`).finally(() => {
      answered = true;
    });
    await fault.struck;
    expect(await api.value(`select count(*) from ${table}`)).toStrictEqual({ longValue: 1 });
    expect(answered).toBe(false);
    fault.release();
    await call;
  }),
  controlled([48], 'delays a call by the clock of the service', async (api, controls) => {
    const fault = controls.faults.next({ kind: 'delay', delayMs: 5000 });
    const call = api.execute('select 1');
    await fault.struck;
    controls.advance(5000);
    expect((await call).records).toStrictEqual([[{ longValue: 1 }]]);
  }),
  controlled([49], 'counts every attempt and runs a repeated request again', async (api, controls) => {
    const sequence = api.fresh();
    await api.execute(`create sequence ${sequence}`);
    const { client } = api.subject;
    const patient = new RDSDataClient({
      endpoint: controls.url,
      region: await client.config.region(),
      credentials: await client.config.credentials(),
      maxAttempts: 3,
    });
    controls.resetCalls();
    controls.faults.next({ kind: 'drop-after' });
    const sql = `select nextval('${sequence}')`;
    const { records } = await patient.send(new ExecuteStatementCommand({ ...api.names, sql }));
    patient.destroy();
    expect(records).toStrictEqual([[{ longValue: 2 }]]);
    const [first, second, ...others] = controls.calls();
    expect([first?.attempt, second?.attempt, others]).toStrictEqual([1, 2, []]);
    expect(first?.invocationId).toBe(second?.invocationId);
  }),
  controlled([49], 'logs a call without the values it carried', async (api, controls) => {
    controls.resetCalls();
    await api.value('select :v', { v: { stringValue: 'confidential' } });
    await api.refusal(api.value('select :v::int', { v: { stringValue: 'confidential' } }));
    const [fine, refused] = controls.calls();
    expect(fine).toMatchObject({
      operation: 'ExecuteStatement',
      sql: 'select :v',
      rows: 1,
      database: api.names.database,
    });
    expect(refused).toMatchObject({ error: { name: 'DatabaseErrorException', sqlState: '22P02' } });
    expect(JSON.stringify(controls.calls())).not.toContain('confidential');
  }),
  controlled([50], 'goes on with a statement whose caller has left', async (api, controls) => {
    const [table, holder] = [api.fresh(), await api.begin()];
    await api.execute(`create table ${table} (a int)`);
    await api.execute(`lock table ${table}`, { transactionId: holder });
    const caller = new AbortController();
    const command = new ExecuteStatementCommand({ ...api.names, sql: `insert into ${table} values (1)` });
    const call = api.refusal(api.subject.client.send(command, { abortSignal: caller.signal }));
    await api.until(
      `select exists (select from pg_locks where relation = '${table}'::regclass and not granted)`,
    );
    caller.abort();
    expect(await call).toMatchObject({ name: 'AbortError' });
    await api.rollback(holder);
    await api.until(`select count(*) = 1 from ${table}`);
    expect(controls.calls().at(-1)).toBeDefined();
  }),
];
