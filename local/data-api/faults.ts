import type { OperationName } from './call-log.ts';

/** What goes wrong. */
export const FAULT_KINDS = [
  /** The connection is cut before anything ran. */
  'drop-before',
  /** The call is carried out, then the connection is cut. */
  'drop-after',
  /** The call is carried out, then answered with this status. */
  'status-500',
  'status-502',
  'status-503',
  'status-504',
  /** The call is carried out, then half of the answer is sent and the connection cut. */
  'half-body',
  /** The call is carried out, then answered as a failure of the database without a reason. */
  'sql-exception',
  /** The call is carried out and its answer is dated ten minutes ahead. */
  'skewed-date',
  /** Refused with "Rate exceeded". */
  'throttle',
  /** Refused: the database wakes up. */
  'resuming',
  /** Refused: the password is no longer the right one. */
  'secret-rotated',
  /** Refused: no writer. */
  'unavailable',
  /** Carried out only after `delayMs` of the service's clock. */
  'delay',
  /** Carried out only after `release()`. */
  'hold-before',
  /** Carried out, but answered only after `release()`. */
  'hold-after',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** The call of which it is asked whether a fault is meant for it. */
interface FaultTarget {
  readonly operation: OperationName;
  readonly sql: string | undefined;
  readonly accessKeyId: string;
}

interface FaultOptions {
  readonly kind: FaultKind;
  /** Default: any operation. */
  readonly operation?: OperationName;
  /** Default: any call. */
  readonly where?: (call: FaultTarget) => boolean;
  /** Which matching call from now on, from 1. Default: 1. */
  readonly nth?: number;
  /** Of `delay`. Default: 1000. */
  readonly delayMs?: number;
}

/** A fault that waits for its call. */
interface Fault {
  /** Resolves when the fault has struck; of `hold-after`, when the call has been carried out and is held. */
  readonly struck: Promise<void>;
  /** Lets a held call go on. */
  release(): void;
  /** Takes the fault back, if it has not struck. */
  cancel(): void;
}

export interface Faults {
  /** Arms a fault; each strikes once. */
  next(options: FaultOptions): Fault;
  /** Takes all faults back and lets all held calls go. */
  clear(): void;
}

/** A fault in the hands of the server. */
export interface StrikingFault {
  readonly kind: FaultKind;
  readonly delayMs: number;
  readonly released: Promise<void>;
  strike(): void;
}

export interface FaultBox extends Faults {
  /** The fault meant for this call, if any; each call counts for every fault that waits. */
  take(call: FaultTarget): StrikingFault | undefined;
}

interface Armed extends StrikingFault {
  readonly options: FaultOptions;
  seen: number;
  release(): void;
}

export function faultBox(): FaultBox {
  const waiting = new Set<Armed>();
  const held = new Set<Armed>();
  return {
    next(options) {
      const strike = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const armed: Armed = {
        options,
        kind: options.kind,
        delayMs: options.delayMs ?? 1000,
        released: gate.promise,
        seen: 0,
        strike: strike.resolve,
        release() {
          held.delete(armed);
          gate.resolve();
        },
      };
      waiting.add(armed);
      return {
        struck: strike.promise,
        release: () => {
          armed.release();
        },
        cancel: () => void waiting.delete(armed),
      };
    },
    clear() {
      waiting.clear();
      for (const armed of held) armed.release();
    },
    take(call) {
      let taken: Armed | undefined;
      for (const armed of waiting) {
        const { operation, where, nth = 1 } = armed.options;
        if ((operation !== undefined && operation !== call.operation) || where?.(call) === false) continue;
        armed.seen += 1;
        if (taken !== undefined || armed.seen < nth) continue;
        taken = armed;
        waiting.delete(armed);
        if (armed.kind === 'hold-before' || armed.kind === 'hold-after') held.add(armed);
      }
      return taken;
    },
  };
}
