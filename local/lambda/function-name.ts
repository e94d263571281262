import { LambdaServiceError } from './service-error.ts';

/** A function as a caller names it. */
export interface FunctionName {
  readonly name: string;
  /** Version number, alias or `$LATEST`; absent for the unqualified function. */
  readonly qualifier?: string;
}

/** The three forms of the Invoke API: name, partial ARN, full ARN; each may carry a qualifier. */
const FORMS =
  /^(?:arn:[\w-]+:lambda:(?:[\w-]+):(?:\d{12}):function:|(?:\d{12}):function:)?([\w-]{1,140})(?::(\$LATEST|[\w-]+))?$/;

/** Reads a name; a qualifier given beside it must not contradict the one inside. */
export function parseFunctionName(text: string, qualifier?: string): FunctionName {
  const [, name, inside] = FORMS.exec(text) ?? [];
  if (name === undefined) {
    throw new LambdaServiceError(
      'InvalidParameterValueException',
      `Value '${text}' at 'functionName' failed to satisfy constraint: Member must be a name or an ARN`,
    );
  }
  if (inside !== undefined && qualifier !== undefined && inside !== qualifier) {
    throw new LambdaServiceError(
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  }
  const either = inside ?? qualifier;
  return either === undefined ? { name } : { name, qualifier: either };
}
