import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import {
  PARAM_TEXT,
  paramTextVariable,
  SURROUNDINGS_ENVIRONMENT,
  type MigrationsProperties,
} from '../lambda/contract.ts';
import { meantBy } from '../lambda/engine/near-miss.ts';
import { misused } from './misused.ts';

/** What migrations are told from outside, as it stands in a template. */
export interface Surroundings {
  readonly environment: string | undefined;
  readonly params: Params | undefined;
}

export interface Params {
  /** With a place for each of `texts`. */
  readonly json: string;
  /** What only the deploy knows. */
  readonly texts: readonly string[];
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
  return { environment, params: params === undefined ? undefined : paramsOf(scope, params) };
}

/** As the custom resource carries them. */
export const paramsProperties = ({
  json,
  texts,
}: Params): Pick<MigrationsProperties, 'Params' | 'ParamTexts'> => ({
  Params: json,
  ...(texts.length === 0 ? {} : { ParamTexts: texts }),
});

/** As the runner's variables carry them, for invokes by hand. */
export const paramsVariables = ({ json, texts }: Params): Readonly<Record<string, string>> => ({
  [SURROUNDINGS_ENVIRONMENT.params]: json,
  ...Object.fromEntries(texts.map((text, at) => [paramTextVariable(at), text])),
});

function paramsOf(scope: Construct, given: Readonly<Record<string, unknown>>): Params {
  const texts: string[] = [];
  const json = JSON.stringify(withPlaces(scope, given, 'params', texts));
  if (Buffer.byteLength(json) <= PARAMS_BYTES) return { json, texts };
  throw misused(
    scope,
    `'params' has ${Buffer.byteLength(json)} bytes.`,
    `Keep it below ${PARAMS_BYTES} bytes; data belongs into the migration, as code or as a file that it imports.`,
  );
}

/** A copy in which each text that only the deploy knows has moved into `texts`. */
function withPlaces(scope: Construct, value: unknown, path: string, texts: string[]): unknown {
  if (Token.isUnresolved(value)) {
    if (typeof value === 'string') return { [PARAM_TEXT]: texts.push(value) - 1 };
    throw misused(
      scope,
      `'${path}' is known to the deploy only, and no text.`,
      `Give it as a text, for example Token.asString(…) or Fn.join(',', …), and let the migration's schema make of it what it needs.`,
    );
  }
  if (value === null || ['string', 'boolean'].includes(typeof value)) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((one, at) => withPlaces(scope, one, `${path}.${at}`, texts));
  if (!isPlain(value)) {
    throw misused(
      scope,
      `'params' cannot be written as JSON.`,
      `Keep to texts, finite numbers, booleans, null, and lists and objects of them.`,
    );
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (name !== PARAM_TEXT && !Token.isUnresolved(name)) {
        return [name, withPlaces(scope, member, `${path}.${name}`, texts)];
      }
      throw misused(
        scope,
        `a name in '${path}' is '${PARAM_TEXT}', or known to the deploy only.`,
        `Write the names of parameters out, and let only values come from the deploy.`,
      );
    }),
  );
}

/** Not a date or another object with a form of its own, which JSON would change or lose. */
const isPlain = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value));
