import { expect, test } from 'vitest';
import { narrator } from '../../cli/rehearsal/narrate.ts';
import { tellBackfills } from '../../cli/runner/tell-backfills.ts';
import { answerLines, errorLines } from '../../cli/runner/tell-answer.ts';
import { visible, visibleLines } from '../../cli/terminal/visible.ts';
import type { RunnerAnswer } from '../../lambda/contract.ts';
import type { BackfillData } from '../../lambda/engine/backfill/operate.ts';
import { RUNNING } from './backfill-data.ts';

const OBEYED = /[\p{Cc}\u2028-\u202E]/u;
const NASTY = '\u001B]0;owned\u0007\u001B[2J\n0002_fill has succeeded\u009B2J\u202Etxt';

test('shows what a terminal would obey, leaves all other text alone, and changes nothing twice', () => {
  expect(visible(NASTY)).toBe(
    String.raw`\u001b]0;owned\u0007\u001b[2J\n0002_fill has succeeded\u009b2J\u202etxt`,
  );
  expect(visible(visible(NASTY))).toBe(visible(NASTY));
  const plain = 'größer – 名前 😀 "x" \\ \ta';
  expect(visible(plain)).toBe(plain);
  expect(visibleLines('one\ntwo\u001B')).toBe('one\ntwo\\u001b');
  const json = JSON.stringify({ by: NASTY, del: '\u007F' });
  expect(JSON.parse(visible(json))).toEqual({ by: NASTY, del: '\u007F' });
});

const stopped: BackfillData = {
  ...RUNNING,
  state: 'paused',
  reason: NASTY,
  events: [
    { at: NASTY, move: 'pause', from: 'running', to: 'paused', reason: NASTY, by: NASTY, settings: null },
  ],
};

test('is done with all that a runner says', () => {
  const lines = tellBackfills({ backfills: [stopped] });
  expect(lines.join('')).toContain(String.raw`0002_fill is paused: \u001b]0;owned`);
  const failed = {
    ok: false,
    action: 'none',
    log: '',
    error: {
      code: 'sql-failed',
      text: { what: NASTY, state: NASTY, next: NASTY },
      place: { sql: "select 1,\n  '\u001B'" },
    },
  } satisfies RunnerAnswer;
  const errors = errorLines(failed);
  expect(errors.filter((line) => /select|u001b'/.test(line))).toEqual([
    'Statement: select 1,',
    String.raw`             '\u001b'`,
  ]);
  const status = answerLines({
    ok: true,
    action: 'status',
    log: '',
    status: {
      installed: true,
      head: NASTY,
      applied: [{ id: NASTY, appliedAt: '', deployId: NASTY, skipped: false }],
      pending: [NASTY],
      stale: [],
      changed: [],
      vanished: [],
      foreign: [],
      halfDone: [],
      waiting: [],
      holder: null,
    },
  } as unknown as RunnerAnswer);
  const said: string[] = [];
  const narrate = narrator(
    (line) => said.push(line),
    () => 'other',
  );
  narrate({ type: 'rows', table: 'notes', rows: [{ body: NASTY }] });
  narrate({ type: 'backfill', deploy: 1, backfill: NASTY, state: 'paused', by: 'runner' });
  for (const line of [...lines, ...errors, ...status, ...said]) expect(line).not.toMatch(OBEYED);
});
