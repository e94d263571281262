import type { RunnerAnswer } from '../lambda/contract.ts';
import { ERROR_CODES, type ErrorCode, ForerunError } from '../lambda/engine/errors.ts';
import type { RunError } from '../lambda/engine/outcome.ts';
import type { InvokeResult } from '../local/lambda/start-lambda.ts';

/** The runner's answer; rejects the way in which the runner would have, had it run in this process. */
export function answerOf({
  payload,
  functionError,
}: Pick<InvokeResult, 'payload' | 'functionError'>): RunnerAnswer {
  const said: unknown = JSON.parse(payload);
  if (functionError !== undefined) {
    throw new ForerunError('test-failed', {
      what: `The runner ended without an answer: ${messageOf(said)}.`,
      state: 'Nobody knows how far it came in the database of this test.',
      next: 'Look for what ends the process in a migration or in what it imports.',
    });
  }
  // Our own runner's answer, in the form that the contract gives it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const answer = said as RunnerAnswer;
  if (answer.action === 'none') throw errorOf(answer.error);
  if ('result' in answer && answer.result.error !== null) throw errorOf(answer.result.error);
  return answer;
}

/** An error that travelled as plain data, whole again. */
function errorOf({ code, text, place }: RunError): ForerunError {
  return new ForerunError(isErrorCode(code) ? code : 'test-failed', text, { place });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

function messageOf(said: unknown): string {
  return typeof said === 'object' && said !== null && 'errorMessage' in said
    ? String(said.errorMessage).replace(/[.\s]+$/, '')
    : 'it gave no reason';
}
