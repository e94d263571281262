import { expect, test } from 'vitest';
import { narrator } from '../../cli/rehearsal/narrate.ts';

test('the resource after the app is named plainly, on the way forward and in a rollback', () => {
  const lines: string[] = [];
  const tell = narrator(
    (line) => lines.push(line),
    () => 'other',
  );
  const resource = (status: string, type = 'Custom::ForerunAfter', logicalId = 'After'): void => {
    tell({
      type: 'resource',
      deploy: 1,
      stack: 'Shop',
      logicalId,
      resourceType: type,
      status,
      reason: null,
      path: logicalId === 'Shop' ? null : 'Shop/Migrations/After/Default',
      milliseconds: 0,
    });
  };
  resource('UPDATE_IN_PROGRESS');
  resource('UPDATE_COMPLETE');
  resource('UPDATE_ROLLBACK_IN_PROGRESS', 'AWS::CloudFormation::Stack', 'Shop');
  resource('UPDATE_IN_PROGRESS');
  resource('UPDATE_COMPLETE');
  expect(lines.map((line) => line.trim().replaceAll(/\s+/g, ' '))).toEqual([
    '0.0 s Migrations/After the app is live: the gate asks the runner for what comes after it',
    '0.0 s Migrations/After answers success: what comes after the app holds the deploy no longer',
    '0.0 s Shop UPDATE_ROLLBACK_IN_PROGRESS',
    '0.0 s Migrations/After is asked again: in a rollback nothing is applied',
    '0.0 s Migrations/After answers success: the rollback goes on',
  ]);
});
