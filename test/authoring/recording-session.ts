import type { ExecuteOptions, Row, Session, Statement } from '../../lambda/engine/ports.ts';

export interface Recorded extends Statement {
  readonly options: ExecuteOptions;
}

/** A session that sends nothing: it keeps what it was given and answers with the same rows each time. */
export function recordingSession(answer: { rows?: readonly Row[]; affected?: number } = {}): {
  readonly session: Session;
  readonly statements: readonly Recorded[];
} {
  const statements: Recorded[] = [];
  const session: Session = {
    execute(statement, options) {
      statements.push({ ...statement, options });
      return Promise.resolve({ rows: answer.rows ?? [], affected: answer.affected ?? 0 });
    },
  };
  return { session, statements };
}
