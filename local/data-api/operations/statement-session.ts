import type { Session } from '../session.ts';
import type { Admitted } from './admission.ts';
import type { OperationCall, ServiceContext } from './context.ts';

/** The session a statement runs in. */
export interface StatementSession {
  readonly session: Session;
  readonly transactionId: string | undefined;
  /** The statement is over, whether or not somebody still waits for it. */
  release(): Promise<void>;
}

/** The transaction's own session, or one of the pool that commits each statement by itself. */
export async function statementSession(
  context: ServiceContext,
  call: OperationCall,
  { scope, login }: Admitted,
  transactionId: string | undefined,
): Promise<StatementSession> {
  if (transactionId === undefined) {
    call.seen.database = login.database;
    context.clusters.refuseAsleep(scope.resourceArn);
    return { ...(await context.sessions.borrow(login)), transactionId };
  }
  call.seen.transactionId = transactionId;
  const occupied = context.transactions.occupy(transactionId, scope);
  call.seen.database = occupied.database;
  return {
    session: occupied.session,
    transactionId,
    async release() {
      occupied.done();
      return Promise.resolve();
    },
  };
}
