import { describe, expect, test } from 'vitest';
import { refuseBeyondAlias, refuseUnconfirmed } from '../../lambda/admission.ts';
import { readRunnerEvent } from '../../lambda/runner-event.ts';
import { refusalOf } from '../authoring/refusal.ts';

const ARN = 'arn:aws:lambda:eu-west-1:111122223333:function:runner';
const REASON = { reason: 'the test says so' };

describe('what takes something back', () => {
  test.each([
    { action: 'down', to: 'base' },
    { action: 'stamp', to: 'head', ...REASON },
    { action: 'unlock', ...REASON },
  ])('$action has to name the database', async (asked) => {
    const refuse = (more: object) => () => refuseUnconfirmed(readRunnerEvent({ ...asked, ...more }), 'app');
    expect(await refusalOf(refuse({}))).toBe(
      `not-confirmed: ${asked.action} on the database "app" has to be confirmed.`,
    );
    expect(await refusalOf(refuse({ confirm: 'other' }))).toContain('confirmed for another database');
    expect(await refusalOf(refuse({ confirm: 'app' }))).toBe('nothing was refused');
  });

  test.each([{ action: 'up' }, { action: 'status' }, { action: 'repair', ...REASON }])(
    '$action needs no such word',
    async (asked) => {
      expect(await refusalOf(() => refuseUnconfirmed(readRunnerEvent(asked), 'app'))).toBe(
        'nothing was refused',
      );
    },
  );
});

describe('the alias for readers', () => {
  test.each(['status', 'plan', 'history'])('takes %s', async (action) => {
    expect(await refusalOf(() => refuseBeyondAlias(readRunnerEvent({ action }), `${ARN}:read`))).toBe(
      'nothing was refused',
    );
  });

  test.each([{ action: 'up' }, { action: 'down', to: 'base' }, { action: 'unlock', ...REASON }])(
    'refuses $action, which every other way takes',
    async (asked) => {
      const event = readRunnerEvent(asked);
      expect(await refusalOf(() => refuseBeyondAlias(event, `${ARN}:read`))).toContain('read-only');
      for (const way of ['', ':act', ':7']) {
        expect(await refusalOf(() => refuseBeyondAlias(event, ARN + way))).toBe('nothing was refused');
      }
    },
  );
});
