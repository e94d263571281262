import { EVENT_BUS_VARIABLE, type MetricName, type Verdict } from './contract.ts';
import type { RunResult } from './engine/outcome.ts';
import type { Log } from './log.ts';
import { eventOfRun, eventOfVerdict, type EventFrame, type RunEvent } from './run-event.ts';
import type { RunMeter } from './run-meter.ts';
import { sendEvent } from './send-event.ts';

/** With what the end of a run is told. */
export interface Telling {
  readonly meter: RunMeter;
  readonly log: Log;
  readonly frame: EventFrame;
  /** Under which name metrics are kept; outside Lambda, in tests, nobody reads them. */
  readonly runner: string | undefined;
}

/** Tells log, metrics and event bus how a run ended. */
export async function tellEnd(
  asked: 'up' | 'down' | 'revert',
  result: RunResult,
  telling: Telling,
): Promise<void> {
  const { meter, log, frame } = telling;
  const { error, outcome, repeated } = result;
  const message = error === null ? `The run ended: ${outcome}.` : error.text.what;
  log.line(error === null ? 'INFO' : 'ERROR', message, { note: 'ended', ...result });
  writeMetrics(meter.ofResult(result, Date.now()), telling);
  // What an earlier call has ended was told by that one.
  if (!repeated) await tellBus(eventOfRun(asked, result, frame, Date.now()), log);
}

/** The same for a rollback. */
export async function tellVerdict(verdict: Verdict, telling: Telling): Promise<void> {
  const { meter, log, frame } = telling;
  const [level, message] = verdict.fenced
    ? (['INFO', 'The rollback was settled.'] as const)
    : (['ERROR', 'The rollback could not be settled.'] as const);
  log.line(level, message, { note: 'settled', ...verdict });
  writeMetrics(meter.ofVerdict(verdict), telling);
  await tellBus(eventOfVerdict(verdict, frame, Date.now()), log);
}

export function writeMetrics(
  values: Readonly<Partial<Record<MetricName, number>>> | null,
  { log, runner }: Pick<Telling, 'log' | 'runner'>,
): void {
  if (values !== null && runner !== undefined) log.measure(runner, values, 'measured');
}

/** An event that does not get through is told in the log, and fails nothing. */
async function tellBus(event: RunEvent, log: Log): Promise<void> {
  const bus = process.env[EVENT_BUS_VARIABLE] ?? '';
  if (bus === '') return;
  const why = await sendEvent(bus, event);
  if (why === null) log.line('INFO', `The event "${event.type}" was sent.`, { note: 'event-sent' });
  else log.line('WARN', `The event "${event.type}" was not sent: ${why}.`, { note: 'event-not-sent', bus });
}
