import { RUNNER_ALIASES } from '../../lambda/contract.ts';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';

/** Names the runner where a command line does not. */
export const RUNNER_VARIABLE = 'FORERUN_RUNNER';

/** A runner as Lambda wants it named. */
export interface RunnerName {
  /** Name or ARN, without alias. */
  readonly name: string;
  /** The alias or version that was given; null leaves the choice to what is asked. */
  readonly qualifier: string | null;
  /** The one that an ARN names. */
  readonly region: string | null;
}

/** How a command may be sent: telling takes the alias for readers, all else the other one. */
export type Alias = keyof typeof RUNNER_ALIASES;

const FORM =
  /^(?<name>(?:arn:[\w-]+:lambda:(?<region>[\w-]+):\d{12}:function:)?[\w-]{1,140})(?::(?<qualifier>\$LATEST|[\w-]+))?$/;

/** @throws ForerunError `input-invalid` where no runner is named, or by no name of a function */
export function runnerName(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): RunnerName {
  const text = given ?? environment[RUNNER_VARIABLE] ?? '';
  if (text === '') {
    throw new ForerunError('input-invalid', {
      what: `Nothing says which runner to ask: there is no --runner, and ${RUNNER_VARIABLE} is not set.`,
      state: UNTOUCHED,
      next: 'Give --runner the name or ARN of the function; an output of your stack can tell it (docs/operations.md).',
    });
  }
  const { name, region, qualifier } = FORM.exec(text)?.groups ?? {};
  if (name === undefined) {
    throw new ForerunError('input-invalid', {
      what: `"${text}" is no name or ARN of a Lambda function.`,
      state: UNTOUCHED,
      next: 'Give --runner a function name or its ARN, with an alias behind a colon if you like.',
    });
  }
  return { name, qualifier: qualifier ?? null, region: region ?? null };
}
