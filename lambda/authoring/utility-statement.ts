import { ForerunError } from '../engine/errors.ts';
import { lexemesOf } from '../engine/lexemes.ts';
import type { MigrationTools } from '../engine/migration.ts';
import type { Session } from '../engine/ports.ts';
import { namedParameters } from './named-parameters.ts';

/**
 * Runs a statement that PostgreSQL lets have no parameters. The values travel as parameters into settings of this transaction,
 * and the server itself writes them into the statement as literals.
 */
export async function runUtility(
  session: Session,
  tools: MigrationTools,
  sql: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  if (!tools.inTransaction) throw needsTransaction();
  const { parameters = {} } = namedParameters(sql, values);
  const names = Object.keys(parameters);
  if (names.length === 0) {
    await session.execute({ sql }, { rows: false });
    return;
  }
  const settings = names.map((name, at) => `set_config('forerun.value_${at + 1}', :${name}, true)`);
  const kept = settings.map((setting) => `${setting} is not null`).join(', ');
  await session.execute({ sql: `select ${kept}`, parameters }, { rows: false });
  const held = names.map((_, at) => `current_setting('forerun.value_${at + 1}')`);
  // PostgreSQL's own error would quote the whole statement in its context: it is raised anew, without the values.
  const told = held.reduce(
    (text, value) => `replace(replace(${text}, quote_literal(${value}), '[value]'), ${value}, '[value]')`,
    'sqlerrm',
  );
  const body = `begin execute pg_catalog.format(${literal(formatOf(sql, names))}, ${held.join(', ')});
exception when others then raise exception using errcode = sqlstate, message = ${told}; end`;
  const hidden = Object.values(values).flatMap((value) => [value, value.replaceAll("'", "''")]);
  await session.execute({ sql: `do ${literal(body)}`, hidden }, { rows: false });
}

/** The statement as a pattern for `format`, where `%1$L` stands for the first value as a literal. */
function formatOf(sql: string, names: readonly string[]): string {
  let pattern = '';
  let done = 0;
  for (const { kind, text, start, end } of lexemesOf(sql)) {
    if (kind !== 'placeholder') continue;
    pattern += `${doubled(sql.slice(done, start))}%${names.indexOf(text) + 1}$L`;
    done = end;
  }
  return pattern + doubled(sql.slice(done));
}

const doubled = (text: string): string => text.replaceAll('%', '%%');
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function needsTransaction(): ForerunError {
  return new ForerunError('statement-refused', {
    what: 'op.utility keeps its values in the transaction for a moment, and this migration has none.',
    state: 'It was not sent.',
    next: 'Put the statement into a migration of its own, without transaction: false and long: true.',
  });
}
