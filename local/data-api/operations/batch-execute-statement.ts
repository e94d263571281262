import { type Bound, bindAll } from '../binding.ts';
import { placeholders } from '../placeholders.ts';
import { type JsonObject, list } from '../json-members.ts';
import { database, parameterList, sqlText, transactionId } from '../request.ts';
import { withinLimit } from '../statement-limit.ts';
import { admit } from './admission.ts';
import type { Operation, OperationCall, ServiceContext } from './context.ts';
import { statementSession, type StatementSession } from './statement-session.ts';

/** https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_BatchExecuteStatement.html */
export const batchExecuteStatement: Operation = async (context, call) => {
  const { body } = call;
  const { text, names } = placeholders(sqlText(body));
  const sets = list(body['parameterSets'], 'parameterSets').map((set) => bindAll(names, parameterList(set)));
  const admitted = admit(context, call, 'BatchExecuteStatement', database(body));
  const held = await statementSession(context, call, admitted, transactionId(body));
  const work = runSets(context, call, held, text, sets);
  const { clock, statementLimitMs: limitMs } = context;
  return withinLimit(work, { clock, limitMs, session: held.session, continueAfterTimeout: false });
};

/** One set after the other in one session; rows that a set returns are dropped. */
async function runSets(
  { switches }: ServiceContext,
  { seen }: OperationCall,
  held: StatementSession,
  text: string,
  sets: readonly (readonly Bound[])[],
): Promise<JsonObject> {
  const { session } = held;
  const together = held.transactionId === undefined && switches.batchCommits === 'all';
  try {
    if (together) await session.command('begin');
    for (const values of sets) {
      await session.execute(await session.prepare(text, values), values);
    }
    // What is left open by an error is rolled back when the session returns to the pool.
    if (together) await session.command('commit');
    seen.rows = sets.length;
    return { updateResults: sets.map(() => ({ generatedFields: [] })) };
  } finally {
    await held.release();
  }
}
