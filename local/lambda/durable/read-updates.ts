import { LambdaServiceError } from '../service-error.ts';
import { ACTIONS, OPERATION_TYPES, type ErrorObject, type OperationUpdate } from './operation.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Reads the updates of a checkpoint; what has not the form of the API is refused as a whole. */
export function readUpdates(value: unknown): readonly OperationUpdate[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value)) {
    throw invalid('Updates must be a list.');
  }
  return value.map((each) => readUpdate(fieldsOf(each)));
}

/** Reads an error object; members of another type are left out. */
export function readError(value: unknown): ErrorObject {
  const fields = fieldsOf(value);
  const trace: unknown = fields['StackTrace'];
  return {
    ...text(fields, 'ErrorMessage'),
    ...text(fields, 'ErrorType'),
    ...text(fields, 'ErrorData'),
    ...(Array.isArray(trace) ? { StackTrace: trace.map(String) } : {}),
  };
}

/** A JSON object, or an empty one. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function invalid(message: string): LambdaServiceError {
  return new LambdaServiceError('InvalidParameterValueException', message);
}

function readUpdate(fields: Fields): OperationUpdate {
  const { Id } = text(fields, 'Id');
  const type = OPERATION_TYPES.find((each) => each === fields['Type']);
  const action = ACTIONS.find((each) => each === fields['Action']);
  if (fields['Type'] === 'CALLBACK' || fields['Type'] === 'CHAINED_INVOKE') {
    throw invalid(
      `The local Lambda plays no ${fields['Type']} operations: only steps, waits and child contexts.`,
    );
  }
  if (Id === undefined || type === undefined || action === undefined) {
    throw invalid('Each update needs an Id, a known Type and a known Action.');
  }
  const replayChildren = fieldsOf(fields['ContextOptions'])['ReplayChildren'];
  const delay = fieldsOf(fields['StepOptions'])['NextAttemptDelaySeconds'];
  const wait = fieldsOf(fields['WaitOptions'])['WaitSeconds'];
  return {
    Id,
    Type: type,
    Action: action,
    ...text(fields, 'ParentId'),
    ...text(fields, 'Name'),
    ...text(fields, 'SubType'),
    ...text(fields, 'Payload'),
    ...(fields['Error'] === undefined || fields['Error'] === null
      ? {}
      : { Error: readError(fields['Error']) }),
    ...(typeof replayChildren === 'boolean' ? { ReplayChildren: replayChildren } : {}),
    ...(typeof delay === 'number' ? { NextAttemptDelaySeconds: delay } : {}),
    ...(typeof wait === 'number' ? { WaitSeconds: wait } : {}),
  };
}

function text<K extends string>(fields: Fields, key: K): Partial<Record<K, string>> {
  const value = fields[key];
  const found: Partial<Record<K, string>> = {};
  if (typeof value === 'string') {
    found[key] = value;
  }
  return found;
}
