import { LocalError } from '../errors.ts';
import type { Faults } from './operation.ts';
import type { Stack } from './stack.ts';
import type { StackEvent, StackStatus } from './status.ts';

export interface DeployOptions {
  /** Logical ids, or their beginnings, that fail on the way forward, with the reason. */
  readonly fail?: Faults;
  /**
   * A rollback asks custom resources before it restores their code and their policies. Documented nowhere, so a deploy should come
   * home in both orders. Default false.
   */
  readonly eventsFirst?: boolean;
  /** Values of template parameters; a stack takes those that its template has. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Leave the stacks alone on which this one depends. Default false, as with `cdk deploy`. */
  readonly exclusively?: boolean;
}

/** How a deploy ended; a failed deploy is a result, not an error. */
export interface DeployResult {
  readonly stackName: string;
  readonly status: StackStatus;
  readonly kind: 'create' | 'update' | 'no-changes';
  /** Why it failed: the first failed resource and its reason. */
  readonly reason?: string;
  /** Of this operation, in order. */
  readonly events: readonly StackEvent[];
  readonly outputs: Readonly<Record<string, string>>;
}

/** What an operation brought about, from the events since it began. */
export function resultOf(stack: Stack, kind: DeployResult['kind'], eventsBefore: number): DeployResult {
  const events = stack.events.slice(eventsBefore);
  const failure = events.find(({ status }) => status.endsWith('_FAILED'));
  const told = events.find(({ status }) => status.endsWith('ROLLBACK_IN_PROGRESS'));
  const isFailed = told !== undefined || stack.status.endsWith('FAILED');
  const reason = failure === undefined ? told?.reason : `${failure.logicalId}: ${failure.reason ?? ''}`;
  return {
    stackName: stack.name,
    status: stack.status,
    kind,
    events,
    outputs: stack.outputs,
    ...(isFailed && reason !== undefined ? { reason } : {}),
  };
}

/** A fault that can hit nothing is a mistake in the rehearsal. */
export function refuseUnknownFaults(resources: Readonly<Record<string, unknown>>, faults: Faults): void {
  for (const beginning of Object.keys(faults)) {
    if (!Object.keys(resources).some((logicalId) => logicalId.startsWith(beginning))) {
      throw new LocalError('bad-option', `No resource of the template begins with ${beginning}.`);
    }
  }
}
