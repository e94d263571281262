import type { Attributes, StepOutcome } from '../contract.ts';
import type { GateAnswer } from './answer.ts';
import type { Asked } from './ask-runner.ts';
import type { GivenProperties } from './request.ts';

/** Every success has every attribute: a missing one fails the output that reads it, and with it a rollback. */
export function attributes({ Head, DeployId }: GivenProperties): Record<keyof Attributes, string> {
  return {
    Head: textOf(Head),
    DeployId: textOf(DeployId),
    Outcome: 'not-run',
    Applied: '0',
    Ahead: 'unknown',
    Compatible: 'unknown',
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : 'unknown');

export const success = (reason: string, data: GateAnswer['data']): GateAnswer => ({
  status: 'SUCCESS',
  reason,
  data,
});

export const failed = (what: string, state: string, next: string): GateAnswer => ({
  status: 'FAILED',
  reason: `${what} ${state} ${next}`,
  data: {},
});

/** The runner's result, if it came back with one. */
export function resultOf(asked: Asked) {
  return asked.kind === 'answered' && 'result' in asked.answer ? asked.answer.result : null;
}

/** What a run has committed. */
export const appliedBy = (asked: Asked): readonly StepOutcome[] =>
  (resultOf(asked)?.steps ?? []).filter(({ outcome }) => outcome === 'applied');

/** The runner's own error, if it came back with one. */
export function errorOf(asked: Asked) {
  if (asked.kind !== 'answered') return null;
  const { answer } = asked;
  if ('result' in answer) return answer.result.error;
  return 'error' in answer ? answer.error : null;
}

export function failureOf(asked: Asked): GateAnswer {
  const error = errorOf(asked);
  if (asked.kind === 'answered') {
    if (error === null)
      return failed(
        'The runner gave an answer that the gate does not know.',
        'Look into the journal (action status) for what was applied.',
        'Deploy again.',
      );
    const statement = error.place.sql === undefined ? '' : ` Statement: ${error.place.sql}.`;
    return failed(
      error.text.what,
      error.text.state,
      `${error.text.next.replaceAll(/\brun again\b/g, 'deploy again')}${statement} Log: ${asked.answer.log}.`,
    );
  }
  if (asked.kind === 'crashed') {
    return failed(
      sentence(asked.message),
      'What was not committed is rolled back; the journal knows what was (action status).',
      'Look into the log of the runner function, mend the cause, and deploy again.',
    );
  }
  return failed(
    sentence(asked.message),
    asked.started
      ? 'Whether migrations were applied is not known here; the journal knows (action status).'
      : 'The database was not touched.',
    'Deploy again; a run that is still working is waited for, never repeated.',
  );
}

/** Messages of Lambda end with a full stop, or not. */
const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/[.\s]+$/, '')}.`;
