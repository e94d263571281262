import { describe, expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { nameOf } from './points.ts';

describe('a short campaign, another one for each seed', () => {
  test.each(['hard', 'mild'] as const)(
    'under the %s answers to open questions every effect counts once, and no run says what is not so',
    async (answers) => {
      const verdicts = await runCampaign({ seed: 7, answers: [answers], pairs: 20, sample: 60, lanes: 3 });
      expect(
        verdicts
          .filter(({ ending }) => ending !== 'survived')
          .map(({ point, ending, why }) => `${ending}: ${nameOf(point)}: ${why}`),
      ).toEqual([]);
      expect(verdicts.length).toBe(60);
      expect(verdicts.filter(({ struck }) => struck).length).toBeGreaterThan(45);
    },
    120_000,
  );
});
