// oxlint-disable vitest/no-standalone-expect -- describe-data-api.ts runs each case inside a test.
import { expect } from 'vitest';
import { type Case, controlled, type Controls } from './subject.ts';

const SIGNATURE = `AWS4-HMAC-SHA256 Credential=AKID/20250101/eu-west-1/rds-data/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;

async function raw(
  { url }: Controls,
  path: string,
  body: unknown,
  init: { method?: string; authorization?: string; contentType?: string } = {},
): Promise<{ status: number; type: string | null; id: string | null; date: string | null; body: unknown }> {
  const { method = 'POST', authorization = SIGNATURE, contentType = 'application/json' } = init;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': contentType, ...(authorization === '' ? {} : { authorization }) },
    ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const { headers, status } = response;
  return {
    status,
    type: headers.get('x-amzn-errortype'),
    id: headers.get('x-amzn-requestid'),
    date: headers.get('date'),
    body: await response.json(),
  };
}

export const protocolCases: readonly Case[] = [
  controlled([48], 'dates a skewed answer ten minutes ahead', async ({ names }, controls) => {
    controls.faults.next({ kind: 'skewed-date' });
    const { status, date } = await raw(controls, '/Execute', { ...names, sql: 'select 1' });
    expect(status).toBe(200);
    expect(Date.parse(date ?? '') - Date.now()).toBeGreaterThan(500_000);
  }),
  controlled([1], 'answers at the five paths only', async ({ names }, controls) => {
    const executed = await raw(controls, '/Execute', { ...names, sql: 'select 1' });
    expect(executed).toMatchObject({ status: 200, body: { records: [[{ longValue: 1 }]] } });
    expect(await raw(controls, '/ExecuteSql', {})).toMatchObject({
      status: 400,
      type: 'BadRequestException',
    });
    expect(await raw(controls, '/Else', {})).toMatchObject({
      status: 404,
      body: { message: expect.any(String) },
    });
    expect(await raw(controls, '/Execute', {}, { method: 'GET' })).toMatchObject({ status: 405 });
  }),
  controlled(
    [2],
    'refuses a request that is not signed, or signed for another service',
    async ({ names }, controls) => {
      const body = { ...names, sql: 'select 1' };
      expect(await raw(controls, '/Execute', body, { authorization: '' })).toMatchObject({ status: 403 });
      const other = SIGNATURE.replace('rds-data', 's3');
      expect(await raw(controls, '/Execute', body, { authorization: other })).toMatchObject({ status: 403 });
    },
  ),
  controlled(
    [3],
    'gives every answer a request id, and an error its type, message and date',
    async ({ names }, controls) => {
      const fine = await raw(controls, '/Execute', { ...names, sql: 'select 1' });
      const refused = await raw(controls, '/Execute', { ...names, sql: 'selec' });
      expect(fine.id).toMatch(/\S+/u);
      expect(refused).toMatchObject({
        type: 'DatabaseErrorException',
        body: { message: expect.stringContaining('selec') },
      });
      expect(Math.abs(Date.parse(refused.date ?? '') - Date.now())).toBeLessThan(60_000);
      expect(refused.id).not.toBe(fine.id);
    },
  ),
  controlled(
    [4],
    'answers an unavailable database with 504 and without a message',
    async ({ names }, controls) => {
      controls.faults.next({ kind: 'unavailable' });
      const { status, type, body } = await raw(controls, '/Execute', { ...names, sql: 'select 1' });
      expect({ status, type, body }).toStrictEqual({
        status: 504,
        type: 'DatabaseUnavailableException',
        body: {},
      });
    },
  ),
  controlled([5], 'ignores unknown members and refuses wrong JSON types', async ({ names }, controls) => {
    const unknown = await raw(controls, '/Execute', { ...names, sql: 'select 1', newMember: { a: 1 } });
    expect(unknown.status).toBe(200);
    for (const wrong of [
      { sql: 5 },
      { sql: 'select 1', includeResultMetadata: 'yes' },
      { sql: 'select 1', parameters: {} },
    ]) {
      const answer = await raw(controls, '/Execute', { ...names, ...wrong });
      expect(answer).toMatchObject({ status: 400, type: 'SerializationException' });
    }
    expect(await raw(controls, '/Execute', '{"sql":')).toMatchObject({ type: 'SerializationException' });
  }),
  controlled([5], 'refuses a body that says it is something else than JSON', async ({ names }, controls) => {
    const body = { ...names, sql: 'select 1' };
    for (const contentType of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonl']) {
      const answer = await raw(controls, '/Execute', body, { contentType });
      expect(answer).toMatchObject({ status: 415, type: 'UnsupportedMediaTypeException' });
    }
    const charset = { contentType: 'application/json; charset=utf-8' };
    expect(await raw(controls, '/Execute', body, charset)).toMatchObject({ status: 200 });
  }),
  {
    rules: [6],
    title: 'requires cluster, secret, statement and transaction id',
    async run(api) {
      for (const missing of ['resourceArn', 'secretArn', 'sql']) {
        const refusal = await api.refusal(api.execute('select 1', { [missing]: undefined }));
        expect(refusal).toMatchObject({ status: 400, message: expect.stringContaining(missing) });
      }
      expect(await api.refusal(api.commit(''))).toMatchObject({ status: 400 });
      expect(await api.refusal(api.execute(''))).toMatchObject({ status: 400 });
    },
  },
  {
    rules: [7],
    title: 'takes a statement of 65,536 characters and refuses a longer one',
    async run(api) {
      const longest = `select 1 -- ${'x'.repeat(65_536 - 12)}`;
      expect(await api.value(longest)).toStrictEqual({ longValue: 1 });
      expect(await api.refusal(api.execute(`${longest}x`))).toMatchObject({ status: 400 });
    },
  },
  {
    rules: [7],
    title: 'refuses names and requests beyond their limits',
    async run(api) {
      expect(await api.refusal(api.execute('select 1', { database: 'd'.repeat(65) }))).toMatchObject({
        status: 400,
      });
      expect(await api.refusal(api.execute('select 1', { transactionId: 't'.repeat(193) }))).toMatchObject({
        name: 'ValidationException',
      });
      const big = api.value('select length(:v)', { v: { stringValue: 'x'.repeat(4 * 1024 * 1024) } });
      expect((await api.refusal(big)).status).toBeGreaterThanOrEqual(400);
      const fits = await api.value('select length(:v)', { v: { stringValue: 'x'.repeat(3_000_000) } });
      expect(fits).toStrictEqual({ longValue: 3_000_000 });
    },
  },
  {
    rules: [8],
    title: 'knows a cluster by its exact ARN and looks at it before the secret',
    async run(api) {
      const upper = api.names.resourceArn.replace(/.$/u, (last) => (last === 'X' ? 'Y' : 'X'));
      const refusal = await api.refusal(
        api.execute('select 1', { resourceArn: upper, secretArn: `${api.names.secretArn}?` }),
      );
      expect(refusal).toMatchObject({ name: 'HttpEndpointNotEnabledException', status: 400 });
      expect(refusal.message).toContain(upper);
    },
  },
  controlled([8], 'refuses a cluster without endpoint and one without instance', async (api, controls) => {
    const arn = `${api.names.resourceArn}-off`;
    controls.addCluster({ arn, endpointEnabled: false });
    expect(await api.refusal(api.execute('select 1', { resourceArn: arn }))).toMatchObject({
      name: 'HttpEndpointNotEnabledException',
    });
    controls.addCluster({ arn, hasInstance: false });
    expect(await api.refusal(api.execute('select 1', { resourceArn: arn }))).toMatchObject({
      name: 'DatabaseNotFoundException',
      status: 404,
    });
  }),
  {
    rules: [9],
    title: 'says that a secret is not there',
    async run(api) {
      const refusal = await api.refusal(
        api.execute('select 1', { secretArn: `${api.names.secretArn}-gone` }),
      );
      expect(refusal).toMatchObject({ name: 'SecretsErrorException', status: 400 });
    },
  },
  controlled([9, 53], 'takes user and password from the secret and nothing else', async (api, controls) => {
    for (const value of ['not json', '{"username":"x"}', '[]']) {
      const refused = await api.refusal(api.execute('select 1', { secretArn: controls.putSecret(value) }));
      expect(refused.name).toBe('InvalidSecretException');
    }
    const wrong = controls.putSecret(
      '{"username":"nobody_here","password":"x","host":"example.com","dbname":"y"}',
    );
    const refused = await api.refusal(api.execute('select 1', { secretArn: wrong }));
    expect(refused).toMatchObject({
      name: 'DatabaseErrorException',
      message: expect.stringContaining('28P01'),
    });
  }),
  {
    rules: [10],
    title: 'means the database named like the user where none is named',
    async run(api) {
      const named = await api.refusal(api.execute('select 1', { database: 'not_there' }));
      expect(named).toMatchObject({
        name: 'DatabaseErrorException',
        message: expect.stringContaining('3D000'),
      });
      const user = await api.value('select current_user::text');
      const database = await api.value('select current_database()::text', {}, { database: undefined });
      expect(database).toStrictEqual(user);
    },
  },
  {
    rules: [11],
    title: 'refuses a schema',
    async run(api) {
      expect(await api.refusal(api.execute('select 1', { schema: 'public' }))).toMatchObject({
        name: 'ValidationException',
        message: "The schema parameter isn't supported",
      });
    },
  },
];
