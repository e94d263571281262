// oxlint-disable vitest/no-standalone-expect -- the lines of the table are run inside a test.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manualClock, type ManualClock } from '../../local/clock.ts';
import { DIFFERENCES } from '../../local/differences.ts';
import { type LocalService, localService, NAMES } from '../local/data-api/local-service.ts';
import { type Api, apiOf, parameters } from './subject.ts';

interface Place {
  readonly api: Api;
  readonly url: string;
  readonly clock: ManualClock;
}

/** For each rule, what one sees here and would not see on AWS. When the service learns to keep a rule, its line fails. */
const SEEN: ReadonlyMap<number, (place: Place) => Promise<void>> = new Map([
  [
    2,
    async ({ url }) => {
      const scope = '20250101/eu-west-1/rds-data/aws4_request';
      const authorization = `AWS4-HMAC-SHA256 Credential=ANYBODY/${scope}, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
      const headers = { authorization, 'content-type': 'application/json' };
      const body = JSON.stringify({ ...NAMES, sql: 'select 1' });
      const { status } = await fetch(`${url}/Execute`, { method: 'POST', headers, body });
      expect(status).toBe(200);
    },
  ],
  [
    7,
    async ({ api }) => {
      const big = api.value('select length(:v)', { v: { stringValue: 'x'.repeat(4 * 1024 * 1024) } });
      const { name, status } = await api.refusal(big);
      expect({ name, status }).toEqual({ name: 'RequestEntityTooLargeException', status: 413 });
    },
  ],
  [
    16,
    async ({ api }) => {
      const id = '0e37df36-f698-11e6-8dd4-cb9ced3df976';
      const { records } = await api.execute('select :v::text', {
        parameters: parameters({ v: { stringValue: id } }, 'UUID'),
      });
      expect(records).toEqual([[{ stringValue: id }]]);
    },
  ],
  [
    24,
    async ({ api }) => {
      expect(await api.value("select '0044-03-15 BC'::date")).toEqual({ stringValue: '0044-03-15 BC' });
      const transactionId = await api.begin();
      await api.execute("set local datestyle = 'German'", { transactionId });
      const seen = await api.value("select '2024-02-29'::date", {}, { transactionId });
      await api.rollback(transactionId);
      expect(seen).toEqual({ stringValue: '29.02.2024' });
    },
  ],
  [
    27,
    async ({ api }) => {
      const { message } = await api.refusal(api.execute('select 1::tinyint'));
      expect(message).toContain('SQLState: 42704');
    },
  ],
  [
    29,
    async ({ api }) => {
      await api.execute('create table numbered (id int generated always as identity, a int)');
      const { generatedFields } = await api.execute('insert into numbered (a) values (1)');
      expect(generatedFields).toEqual([]);
    },
  ],
  [
    30,
    async ({ api }) => {
      const { columnMetadata } = await api.execute("select 1 as a, 'x'::text as b", {
        includeResultMetadata: true,
      });
      // The numbers of java.sql.Types: INTEGER and VARCHAR.
      expect(columnMetadata).toMatchObject([
        { type: 4, typeName: 'int4' },
        { type: 12, typeName: 'text' },
      ]);
    },
  ],
  [
    42,
    async ({ api }) => {
      const transactionId = await api.begin();
      await api.execute('create table undone (a int)', { transactionId });
      await api.rollback(transactionId);
      expect(await api.value("select to_regclass('undone')::text")).toEqual({ isNull: true });
    },
  ],
  [
    47,
    async ({ api, clock }) => {
      await api.execute('select 1');
      clock.advance(30 * 24 * 3_600_000);
      expect(await api.value('select 1')).toEqual({ longValue: 1 });
    },
  ],
  [
    52,
    async ({ api }) => {
      const { message } = await api.refusal(api.execute('selec'));
      expect(message).not.toContain('Error code:');
    },
  ],
]);

const nothing = async (): Promise<void> => Promise.resolve();

describe('what the local Data API confesses', () => {
  let service: LocalService;
  let place: Place;
  beforeAll(async () => {
    service = await localService();
    const clock = manualClock();
    const { api, client } = await service.start({ clock });
    place = { url: api.url, clock, api: apiOf({ client, ...NAMES, controls: undefined, close: nothing }) };
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
  });

  it('is shown to differ, rule by rule', () => {
    const listed = DIFFERENCES.map(({ rule }) => rule);
    expect([...SEEN.keys()]).toStrictEqual(listed);
  });

  it.each(DIFFERENCES)('still differs in rule $rule: $what', async ({ rule }) => {
    const see = SEEN.get(rule);
    expect(see).toBeDefined();
    await see?.(place);
  });
});
