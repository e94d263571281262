import { ForerunError, UNTOUCHED } from '../engine/errors.ts';

/**
 * A schema of any library that speaks Standard Schema, version 1 (https://standardschema.dev): Zod, Valibot, ArkType and
 * others.
 */
export interface ParamsSchema<P = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<P> | Promise<SchemaResult<P>>;
    readonly types?: { readonly input: unknown; readonly output: P } | undefined;
  };
}

type SchemaResult<P> =
  { readonly value: P; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type ParamsRead<P> = { readonly params: P } | { readonly refusal: ForerunError };

/** Holds what the deploy gives against what a migration asks for. Values never reach the message, only their places. */
export function readParams<P>(id: string, schema: ParamsSchema<P>, given: unknown): ParamsRead<P> {
  let result: ReturnType<(typeof schema)['~standard']['validate']>;
  try {
    result = schema['~standard'].validate(given);
  } catch {
    return refused(id, 'its schema throws an error', 'Let the schema answer with issues instead.');
  }
  if (result instanceof Promise) {
    // Nobody waits for it, so nobody may hear it fail either.
    result.catch(() => undefined);
    return refused(id, 'its schema answers with a promise', 'Use a schema without asynchronous checks.');
  }
  if (result.issues === undefined) return { params: result.value };
  const places = [...new Set(result.issues.map(placeOf))].join(', ');
  return refused(
    id,
    `its schema does not take ${places}`,
    'Correct the property params of Migrations (or "params" in the event), or the schema in the migration.',
  );
}

function placeOf({ path = [] }: SchemaIssue): string {
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return ['params', ...keys].join('.');
}

function refused(id: string, why: string, next: string): { readonly refusal: ForerunError } {
  const what = `The parameters do not fit ${id}: ${why}.`;
  return {
    refusal: new ForerunError(
      'params-refused',
      { what, state: UNTOUCHED, next },
      { place: { migration: id } },
    ),
  };
}
