/** What the gate hands to itself when its own time ends before the worker's. Travels inside an event of Lambda and is never logged. */
export interface HandedOn {
  readonly forerun: 'handed-on';
  /** Which invocation of the gate comes next, from 2. */
  readonly hop: number;
  /** Of the first invocation: it is part of the run's key. */
  readonly requestId: string;
  /** ARN of the worker's execution. */
  readonly execution: string;
  /** CloudFormation's own event. */
  readonly request: unknown;
}

/** Null for everything that the gate did not write itself. */
export function readHandedOn(event: unknown): HandedOn | null {
  if (typeof event !== 'object' || event === null || !('forerun' in event)) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const given = event as Partial<HandedOn>;
  const { forerun, hop, requestId, execution, request } = given;
  const isOwn =
    forerun === 'handed-on' &&
    Number.isInteger(hop) &&
    typeof requestId === 'string' &&
    typeof execution === 'string' &&
    typeof request === 'object';
  // Every member was looked at.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return isOwn ? (given as HandedOn) : null;
}
