// oxlint-disable vitest/no-standalone-expect -- describe-data-api.ts runs each case inside a test.
import { expect } from 'vitest';
import type { Case } from './subject.ts';

export const errorCases: readonly Case[] = [
  {
    rules: [51, 4],
    title: 'tells position and SQLSTATE of a mistake',
    async run(api) {
      expect(await api.refusal(api.execute('selec 1'))).toMatchObject({
        name: 'DatabaseErrorException',
        status: 400,
        message: 'ERROR: syntax error at or near "selec"\n  Position: 1; SQLState: 42601',
      });
    },
  },
  {
    rules: [51],
    title: 'tells the hint, and no position where there is none',
    async run(api) {
      const name = api.fresh();
      const hinted = await api.refusal(api.execute(`select ${name}()`));
      expect(hinted.message).toMatch(/^ERROR: .*\n {2}Hint: .*\n {2}Position: 8; SQLState: 42883$/u);
      const plain = await api.refusal(api.execute('select 1/0'));
      expect(plain.message).toBe('ERROR: division by zero; SQLState: 22012');
    },
  },
  {
    rules: [51],
    title: 'tells the detail of a broken constraint',
    async run(api) {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int primary key)`);
      await api.execute(`insert into ${table} values (1)`);
      const refusal = await api.refusal(api.execute(`insert into ${table} values (1)`));
      expect(refusal.message).toMatch(
        /^ERROR: .*\n {2}Detail: Key \(a\)=\(1\) already exists\.; SQLState: 23505$/u,
      );
    },
  },
  {
    rules: [51],
    title: 'fails a copy from a stream that is not there',
    async run(api) {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int)`);
      expect(await api.refusal(api.execute(`copy ${table} from stdin`))).toMatchObject({
        name: 'DatabaseErrorException',
      });
      expect(await api.value('select 1')).toStrictEqual({ longValue: 1 });
    },
  },
];
