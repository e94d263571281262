import { ForerunError } from '../engine/errors.ts';
import type { ValueType } from './value-type.ts';

/** A value that does not fit its type. Says where and what would fit; never the value. */
export function valueRefused(type: ValueType, wanted: string): ForerunError {
  const place = type.of === undefined ? 'A value' : `A value for ${type.of}`;
  return new ForerunError('value-refused', {
    what: `${place} (${type.sql}) must be ${wanted}.`,
    state: 'The statement was not sent.',
    next: 'Convert the value before it goes into the statement.',
  });
}
