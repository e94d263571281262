import type { OperationName } from '../../../local/data-api/call-log.ts';
import { FAULT_KINDS, type FaultKind, type Faults } from '../../../local/data-api/faults.ts';
import { LocalError } from '../../../local/errors.ts';

/** A fault as the command line tells it. */
export interface FaultOption {
  readonly kind: FaultKind;
  readonly operation?: OperationName;
  /** Text in the statement; case does not count. */
  readonly sql?: string;
  /** Which matching call, from 1. */
  readonly nth: number;
  /** How many calls from there on. */
  readonly times: number;
  readonly delayMs?: number;
}

const OPERATIONS: readonly OperationName[] = [
  'ExecuteStatement',
  'BatchExecuteStatement',
  'BeginTransaction',
  'CommitTransaction',
  'RollbackTransaction',
];

/** What can be asked for here: a held call needs somebody who lets it go, which only a program can. */
export const OFFERED_FAULTS: readonly FaultKind[] = FAULT_KINDS.filter((kind) => !kind.startsWith('hold-'));

/** Reads `kind,key=value,…`, such as `drop-after,operation=CommitTransaction,nth=2`. */
export function faultOption(text: string): FaultOption {
  const [first = '', ...pairs] = text.split(',');
  const kind = OFFERED_FAULTS.find((one) => one === first);
  if (kind === undefined) {
    throw new LocalError('bad-option', `There is no fault "${first}". Faults: ${OFFERED_FAULTS.join(', ')}.`);
  }
  let fault: FaultOption = { kind, nth: 1, times: 1 };
  for (const pair of pairs) fault = { ...fault, ...member(pair) };
  return fault;
}

function member(pair: string): Partial<FaultOption> {
  const at = pair.indexOf('=');
  const [key, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  switch (key) {
    case 'operation': {
      const operation = OPERATIONS.find((one) => one === value);
      if (operation !== undefined) return { operation };
      throw new LocalError(
        'bad-option',
        `There is no operation "${value}". Operations: ${OPERATIONS.join(', ')}.`,
      );
    }
    case 'sql':
      return { sql: value };
    case 'nth':
      return { nth: count(pair, value) };
    case 'times':
      return { times: count(pair, value) };
    case 'ms':
      return { delayMs: count(pair, value) };
    default:
      throw new LocalError('bad-option', `A fault takes operation, sql, nth, times and ms, not "${key}".`);
  }
}

function count(pair: string, value: string): number {
  const number = Number(value);
  if (value !== '' && Number.isInteger(number) && number >= 1 && number <= 10_000) return number;
  throw new LocalError('bad-option', `"${pair}" of a fault is no whole number from 1 to 10000.`);
}

/** Arms a fault for each call it is meant for. */
export function arm(faults: Faults, { kind, operation, sql, nth, times, delayMs }: FaultOption): void {
  const text = sql?.toLowerCase();
  for (let call = nth; call < nth + times; call += 1) {
    faults.next({
      kind,
      nth: call,
      ...(operation === undefined ? {} : { operation }),
      ...(delayMs === undefined ? {} : { delayMs }),
      ...(text === undefined ? {} : { where: (target) => target.sql?.toLowerCase().includes(text) === true }),
    });
  }
}
