import { expect, it } from 'vitest';
import { SECONDS } from '../../lambda/contract.ts';

it('gives the gate time to ask again and to answer after the runner used up all of its own', () => {
  expect(SECONDS.runner + SECONDS.askAgain + SECONDS.answer).toBeLessThanOrEqual(SECONDS.gate);
});

it('lets CloudFormation wait as long as a late event and its gate may take', () => {
  expect(SECONDS.serviceTimeout).toBeGreaterThanOrEqual(SECONDS.maximumEventAge + SECONDS.gate);
});

it('stays within what Lambda and CloudFormation allow', () => {
  // Lambda: 900 s a call, events at least 60 s old before they are dropped. CloudFormation: an hour a custom resource.
  expect(Math.max(SECONDS.runner, SECONDS.gate)).toBeLessThanOrEqual(900);
  expect(SECONDS.maximumEventAge).toBeGreaterThanOrEqual(60);
  expect(SECONDS.serviceTimeout).toBeLessThanOrEqual(3600);
});
