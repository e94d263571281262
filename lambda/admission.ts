import { RUNNER_ALIASES } from './contract.ts';
import { ForerunError, UNTOUCHED } from './engine/errors.ts';
import type { RunnerEvent } from './runner-event.ts';

/** What may be asked through the alias for readers. */
const READING: ReadonlySet<string> = new Set<RunnerEvent['action']>([
  'status',
  'plan',
  'history',
  'backfills',
]);

/** The alias or version in `arn:aws:lambda:<region>:<account>:function:<name>:<alias or version>`, if there is one. */
export const qualifierOf = (invokedFunctionArn: string): string | undefined =>
  invokedFunctionArn.split(':')[7];

/**
 * Holds an ask to the alias through which it came. IAM does not see the payload of an invoke, but it does see the alias: who
 * is granted only the alias for readers can read and nothing else.
 */
export function refuseBeyondAlias({ action }: RunnerEvent, invokedFunctionArn: string): void {
  if (qualifierOf(invokedFunctionArn) !== RUNNER_ALIASES.read || READING.has(action)) return;
  throw new ForerunError('read-only', {
    what: `The alias "${RUNNER_ALIASES.read}" of the runner takes ${[...READING].join(', ')}, and not ${action}.`,
    state: UNTOUCHED,
    next: `Invoke the runner through its alias "${RUNNER_ALIASES.act}"; that takes a grant of its own.`,
  });
}

/**
 * Asks whoever takes something back, or overrules the journal, to name the database: it is the one thing that a command
 * copied from another account gets wrong. A deploy asks for none of these.
 */
export function refuseUnconfirmed(event: RunnerEvent, database: string): void {
  // An event that leaves the word out has no such member at all, so the action alone tells.
  if (event.action !== 'down' && event.action !== 'unlock' && event.action !== 'stamp') return;
  if (event.confirm === database) return;
  throw new ForerunError('not-confirmed', {
    what:
      event.confirm === undefined
        ? `${event.action} on the database "${database}" has to be confirmed.`
        : `${event.action} was confirmed for another database than "${database}".`,
    state: UNTOUCHED,
    next: `If this is the database you mean, send the event again with "confirm":"${database}".`,
  });
}
