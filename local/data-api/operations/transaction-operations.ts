import { transactionAborted } from '../database-error.ts';
import { requiredText } from '../json-members.ts';
import { database, transactionId } from '../request.ts';
import { withinLimit } from '../statement-limit.ts';
import { admit } from './admission.ts';
import type { Operation, OperationCall, ServiceContext } from './context.ts';

/** https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_BeginTransaction.html */
export const beginTransaction: Operation = async (context, call) => {
  const { scope, login } = admit(context, call, 'BeginTransaction', database(call.body));
  call.seen.database = login.database;
  context.clusters.refuseAsleep(scope.resourceArn);
  const lent = await context.sessions.borrow(login);
  try {
    await lent.session.command('begin');
  } catch (error) {
    await lent.release();
    throw error;
  }
  const id = context.transactions.begin(scope, login.database, lent);
  call.seen.transactionId = id;
  return { transactionId: id };
};

/** https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_CommitTransaction.html */
export const commitTransaction: Operation = async (context, call) => {
  const word = await endTransaction(context, call, 'commit');
  // PostgreSQL answers the commit of a failed transaction with ROLLBACK, and not with an error.
  if (word === 'ROLLBACK' && context.switches.commitOfAborted === 'error') throw transactionAborted();
  return { transactionStatus: 'Transaction Committed' };
};

/** https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_RollbackTransaction.html */
export const rollbackTransaction: Operation = async (context, call) => {
  await endTransaction(context, call, 'rollback');
  return { transactionStatus: 'Rollback Complete' };
};

/** Sends the last command and gives the session back; whatever it answers, the id is over. */
async function endTransaction(
  context: ServiceContext,
  call: OperationCall,
  command: 'commit' | 'rollback',
): Promise<string> {
  requiredText(call.body, 'transactionId');
  const id = transactionId(call.body) ?? '';
  const action = command === 'commit' ? 'CommitTransaction' : 'RollbackTransaction';
  const { scope } = admit(context, call, action, undefined);
  call.seen.transactionId = id;
  const occupied = context.transactions.occupy(id, scope);
  call.seen.database = occupied.database;
  const work = (async (): Promise<string> => {
    try {
      return await occupied.session.command(command);
    } finally {
      occupied.done();
      await context.transactions.end(id);
    }
  })();
  const { clock, statementLimitMs: limitMs } = context;
  return withinLimit(work, { clock, limitMs, session: occupied.session, continueAfterTimeout: false });
}
