import type { Clock } from '../clock.ts';
import { ServiceError } from './service-error.ts';
import type { Session } from './session.ts';

export interface StatementLimit {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly session: Session;
  /** Whether the statement goes on when its caller is told that time is over. */
  readonly continueAfterTimeout: boolean;
}

/** PostgreSQL's word for a cancelled statement. */
const QUERY_CANCELED = '57014';

/**
 * Ends the wait for a statement after the service's limit: the statement is cancelled, or goes on unseen.
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html
 */
export async function withinLimit<T>(work: Promise<T>, limit: StatementLimit): Promise<T> {
  let over = false;
  let cancelling = Promise.resolve();
  const { promise: timeout, reject: giveUp } = Promise.withResolvers<never>();
  const stopClock = limit.clock.after(limit.limitMs, () => {
    over = true;
    if (limit.continueAfterTimeout) giveUp(timedOut(limit));
    else cancelling = limit.session.cancel();
  });
  try {
    return await Promise.race([work, timeout]);
  } catch (error) {
    if (over && error instanceof ServiceError && error.sqlState === QUERY_CANCELED) throw timedOut(limit);
    throw error;
  } finally {
    stopClock();
    // A request to cancel that is still on its way must not hit the session's next statement.
    await cancelling;
  }
}

function timedOut({ session, limitMs }: StatementLimit): ServiceError {
  const message = `The statement did not end within ${limitMs / 1000} seconds: canceling statement due to statement timeout`;
  return new ServiceError('StatementTimeoutException', message, {
    members: { dbConnectionId: session.backendId },
  });
}
