import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { SECONDS } from '../lambda/contract.ts';
import { misused } from './misused.ts';

/** Less is too short for a database that has to wake up first. */
const SHORTEST_SECONDS = 60;

/** The seconds that a user allows, held against the time table of a deploy. */
export function timeoutSeconds(scope: Construct, timeout: Duration, worker: boolean | undefined): number {
  const seconds = timeout.isUnresolved() ? Number.NaN : timeout.toSeconds({ integral: false });
  const longest = worker === false ? SECONDS.runner : SECONDS.longestServiceTimeout;
  if (seconds >= SHORTEST_SECONDS && seconds <= longest) return Math.floor(seconds);
  throw misused(
    scope,
    `the migrations of a deploy cannot be given ${timeout.isUnresolved() ? 'a time that is not known at synth' : timeout.toHumanString()}${worker === false ? ' without a worker' : ''}.`,
    `Let 'timeout' be between ${SHORTEST_SECONDS} seconds and ${longest / 60} minutes, and make a backfill of what needs longer.`,
  );
}
