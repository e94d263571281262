import { expect, test } from 'vitest';
import { tellRuns } from '../../cli/runner/tell-runs.ts';
import type { RunData } from '../../lambda/engine/inspect.ts';

const RUN: RunData = {
  id: 'r/1',
  action: 'up',
  owner: null,
  deployId: null,
  commit: null,
  by: null,
  through: 'act',
  startedAt: '2026-11-24T10:12:03Z',
  finishedAt: '2026-11-24T10:12:04Z',
  milliseconds: 412,
  outcome: 'applied',
  phase: null,
  rows: 1_200,
  dataApiCalls: 7,
  error: null,
  reason: null,
  applied: [],
  skipped: [],
  repeated: [],
  reverted: [],
};

const COMMIT = '3f2a9c1d5b7e8f60112233445566778899aabbcc';
const OWNER = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/0f0e6e8c-3d0c/Migrations23B444C5';

test('a run is a line with who, how long and how many rows, and under it what it did', () => {
  const runs: readonly RunData[] = [
    {
      ...RUN,
      owner: OWNER,
      deployId: 'v1.4.0',
      commit: COMMIT,
      through: '7',
      outcome: 'rolled-back',
      rows: 0,
      milliseconds: 185_000,
      error: { code: 'statement-failed', what: '0009_add_slugs failed at statement 2 (SQLSTATE 23502).' },
    },
    { ...RUN, by: 'ada', applied: ['0008_forget_birthdays'] },
    { ...RUN, action: 'unlock', rows: null, milliseconds: null, outcome: null, reason: 'it hangs' },
  ];
  expect(tellRuns(runs).join('\n')).toBe(
    `started               action  outcome      took        rows  who
────────────────────  ──────  ───────────  ─────────  ─────  ─────────────────────
2026-11-24 10:12:03Z  up      rolled-back  3 min 5 s      0  Shop, deploy v1.4.0
  commit    3f2a9c1d5b7e8f60112233445566778899aabbcc
  error     statement-failed: 0009_add_slugs failed at statement 2 (SQLSTATE 23502).
2026-11-24 10:12:03Z  up      applied      0.4 s      1,200  ada (through act)
  applied   0008_forget_birthdays
2026-11-24 10:12:03Z  unlock  not ended                      by hand (through act)
  reason    it hangs`,
  );
});

test('a table of runs is never wider than 100 columns, and what is cut in it stands whole below', () => {
  const lines = tellRuns([
    {
      ...RUN,
      owner: OWNER.replace('Shop', 'ShopOfTheWholeCompanyInEurope'),
      deployId: COMMIT,
      commit: COMMIT,
      outcome: 'rolled-back',
      rows: 123_456_789,
      milliseconds: 21_000_000,
      applied: Array.from({ length: 30 }, (_, index) => `00${index + 10}_a_migration`),
    },
    { ...RUN, by: 'x'.repeat(128), deployId: null },
  ]);
  expect(Math.max(...lines.filter((line) => !line.includes('xxx')).map((line) => line.length))).toBeLessThan(
    101,
  );
  expect(lines).toContain(`  who       ShopOfTheWholeCompanyInEurope, deploy ${COMMIT}`);
  expect(lines.join('\n')).not.toContain('commit');
});
