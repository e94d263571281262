import type { Session, Statement } from '../engine/ports.ts';
import { readColons } from './colons.ts';

/** An imported `.sql` file: PostgreSQL's own parser cut it into statements when the bundle was built. */
export interface SqlScript {
  /** Path from the migrations folder. */
  readonly file: string;
  /** In the order of the file; `line` counts from 1. */
  readonly statements: readonly { readonly line: number; readonly sql: string }[];
}

/** Whether `op.execute` was given a script, which no query and no query builder looks like. */
export function isSqlScript(given: object): given is SqlScript {
  return 'statements' in given && Array.isArray(given.statements);
}

/** Sends the statements one after the other and adds up the rows that they changed. */
export async function runScript(session: Session, script: SqlScript): Promise<{ readonly affected: number }> {
  let affected = 0;
  for (const statement of script.statements) {
    const done = await session.execute(placed(script.file, statement), { rows: false });
    affected += done.affected;
  }
  return { affected };
}

/** A comment names the place, so that a failure and the database's own views lead to the line. */
function placed(file: string, { line, sql }: SqlScript['statements'][number]): Statement {
  return { sql: `${placeComment(file, line)} ${readColons(sql).sql}` };
}

/** Without a colon, which the service might take for a placeholder, and without what would end the comment. */
function placeComment(file: string, line: number): string {
  return `/* ${file.replaceAll(/[*:]/g, '_')} line ${line} */`;
}
