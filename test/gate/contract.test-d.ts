import type { GateAsk } from '../../lambda/contract.ts';
import type { RunnerEventInput } from '../../lambda/runner-event.ts';

/** Does not compile when the gate would send what the runner refuses. */
export const understood = (ask: GateAsk): RunnerEventInput => ask;
