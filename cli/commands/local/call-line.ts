import type { CallEntry } from '../../../local/data-api/call-log.ts';

/** Characters of a statement that a line shows. */
const SQL_SHOWN = 80;

/** One line a call: operation, time, outcome, what was done to it on purpose, the statement without its values. */
export function callLine({ operation, milliseconds, rows, error, fault, attempt, sql }: CallEntry): string {
  const outcome = error === undefined ? `${rows ?? 0} rows` : `${error.name} ${error.sqlState ?? ''}`.trim();
  const parts = [
    `${operation.padEnd(21)} ${milliseconds.toFixed(0).padStart(5)} ms`,
    outcome,
    ...(fault === undefined ? [] : [`fault ${fault}`]),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(sql === undefined ? [] : [sql.replaceAll(/\s+/g, ' ').trim().slice(0, SQL_SHOWN)]),
  ];
  return parts.join('  ');
}
