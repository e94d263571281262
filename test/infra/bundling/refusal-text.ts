import { expect } from 'vitest';
import { type ErrorText, ForerunError, UNTOUCHED } from '../../../lambda/engine/errors.ts';

/** The text of a build's refusal; fails when nothing was refused. */
export async function refusalTextOf(act: () => unknown): Promise<ErrorText> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ForerunError)) throw error;
    expect(error).toMatchObject({ code: 'migration-not-loadable', text: { state: UNTOUCHED } });
    return error.text;
  }
  return expect.unreachable('it was not refused');
}
