import { type Bound, bindAll } from '../binding.ts';
import { columnTypes } from '../catalogue.ts';
import { placeholders } from '../placeholders.ts';
import { choice, flag, type JsonObject, optionalObject } from '../json-members.ts';
import { database, parameterList, sqlText, transactionId } from '../request.ts';
import { refuseUnsupported, resultBody, type ResultWish } from '../result.ts';
import { ServiceError } from '../service-error.ts';
import { withinLimit } from '../statement-limit.ts';
import { admit } from './admission.ts';
import type { Operation, OperationCall, ServiceContext } from './context.ts';
import { statementSession, type StatementSession } from './statement-session.ts';

/** https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html */
export const executeStatement: Operation = async (context, call) => {
  const { body } = call;
  const { text, names } = placeholders(sqlText(body));
  const values = bindAll(names, parameterList(body['parameters']));
  const wish = resultWish(body);
  const continueAfterTimeout = flag(body, 'continueAfterTimeout');
  const admitted = admit(context, call, 'ExecuteStatement', database(body));
  const held = await statementSession(context, call, admitted, transactionId(body));
  const work = run(context, call, held, { text, values, wish });
  const { clock, statementLimitMs: limitMs } = context;
  return withinLimit(work, { clock, limitMs, session: held.session, continueAfterTimeout });
};

function resultWish(body: JsonObject): ResultWish {
  const options = optionalObject(body, 'resultSetOptions');
  return {
    metadata: flag(body, 'includeResultMetadata'),
    format: choice(body, 'formatRecordsAs', ['NONE', 'JSON']),
    returnTypes: {
      decimals: choice(options, 'decimalReturnType', ['STRING', 'DOUBLE_OR_LONG']),
      longs: choice(options, 'longReturnType', ['LONG', 'STRING']),
    },
  };
}

async function run(
  { switches, transactions }: ServiceContext,
  { seen }: OperationCall,
  held: StatementSession,
  statement: { readonly text: string; readonly values: readonly Bound[]; readonly wish: ResultWish },
): Promise<JsonObject> {
  const { session, transactionId: id } = held;
  try {
    const { text, values, wish } = statement;
    const prepared = await session.prepare(text, values);
    if (switches.unsupportedResult === 'before') {
      refuseUnsupported(await columnTypes(session, prepared.columns), wish);
    }
    const result = await session.execute(prepared, values);
    const body = await resultBody(session, prepared.columns, result, wish);
    seen.rows = prepared.columns.length > 0 ? result.rows.length : Number(body['numberOfRecordsUpdated']);
    return body;
  } catch (error) {
    const unreturnable = error instanceof ServiceError && error.name === 'UnsupportedResultException';
    if (unreturnable && id !== undefined && switches.unreturnableInTransaction === 'abort')
      await transactions.abort(id);
    throw error;
  } finally {
    await held.release();
  }
}
