import { Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { meantBy } from '../lambda/engine/near-miss.ts';
import { misused } from './misused.ts';

/** What migrations are told from outside, as it stands in a template. */
export interface Surroundings {
  readonly environment: string | undefined;
  /** JSON. */
  readonly params: string | undefined;
}

/** Lambda keeps 4 KiB for all variables of a function; the rest of ours fits into the other kilobyte. */
const PARAMS_BYTES = 3072;

/** Refuses at synth what the runner would refuse in the middle of a deploy. */
export function surroundingsOf(
  scope: Construct,
  given: {
    readonly environment?: string;
    readonly environments?: readonly string[];
    readonly params?: Readonly<Record<string, unknown>>;
  },
): Surroundings {
  const { environment, environments, params } = given;
  if (environment !== undefined && !Token.isUnresolved(environment) && !/^.{1,64}$/.test(environment)) {
    throw misused(
      scope,
      `'${environment}' cannot name an environment.`,
      `Let 'environment' be 1 to 64 characters, such as 'production'.`,
    );
  }
  if (
    environment !== undefined &&
    !Token.isUnresolved(environment) &&
    environments?.includes(environment) === false
  ) {
    throw misused(
      scope,
      `'environment' is '${environment}', which is none of ${environments.join(', ')}${meantBy(environment, environments)}.`,
      `Correct it, or add it to 'environments'.`,
    );
  }
  return { environment, params: params === undefined ? undefined : paramsText(scope, params) };
}

function paramsText(scope: Construct, params: Readonly<Record<string, unknown>>): string {
  if (!isJson(params)) {
    throw misused(
      scope,
      `'params' cannot be written as JSON.`,
      `Keep to texts, finite numbers, booleans, null, and lists and objects of them.`,
    );
  }
  const stack = Stack.of(scope);
  const expression = stack.toJsonString(params);
  const text: unknown = stack.resolve(expression);
  // With a value that only the deploy knows, the length is not known either.
  if (typeof text !== 'string') return expression;
  if (Buffer.byteLength(text) <= PARAMS_BYTES) return text;
  throw misused(
    scope,
    `'params' has ${Buffer.byteLength(text)} bytes.`,
    `Keep it below ${PARAMS_BYTES} bytes; data belongs into the migration, as code or as a file that it imports.`,
  );
}

function isJson(value: unknown): boolean {
  if (value === null || ['string', 'boolean'].includes(typeof value) || Token.isUnresolved(value))
    return true;
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'object' && Object.values(value).every((member) => isJson(member));
}
