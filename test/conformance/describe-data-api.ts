import { afterAll, beforeAll, describe, it } from 'vitest';
import { errorCases } from './error-cases.ts';
import { faultCases } from './fault-cases.ts';
import { parameterCases } from './parameter-cases.ts';
import { placeholderCases } from './placeholder-cases.ts';
import { protocolCases } from './protocol-cases.ts';
import { resultCases } from './result-cases.ts';
import { sessionCases } from './session-cases.ts';
import { type Api, apiOf, type Case, type Subject } from './subject.ts';
import { timeCases } from './time-cases.ts';
import { transactionCases } from './transaction-cases.ts';

export const CASES: readonly (Case & { readonly controlled?: true })[] = [
  ...protocolCases,
  ...placeholderCases,
  ...parameterCases,
  ...resultCases,
  ...transactionCases,
  ...sessionCases,
  ...timeCases,
  ...faultCases,
  ...errorCases,
];

/**
 * The suite for anything that calls itself a Data API: the local one, or a real cluster.
 * `connect` gives an empty database; what it returns is closed at the end.
 */
export function describeDataApi(name: string, connect: () => Promise<Subject>): void {
  describe(`${name} as a Data API`, () => {
    let api: Api;
    beforeAll(async () => {
      api = apiOf(await connect());
    });
    afterAll(async () => {
      await api.subject.close();
    });
    for (const one of CASES) {
      // oxlint-disable-next-line vitest/expect-expect -- the cases assert.
      it(`${one.title} (rule ${one.rules.join(', ')})`, async (context) => {
        context.skip(
          one.controlled === true && api.subject.controls === undefined,
          'needs a service of our own',
        );
        await one.run(api);
      });
    }
  });
}
