import type { Session } from '../engine/ports.ts';

/** A session that sends nothing more once something has gone wrong in it, and remembers what it was. */
export interface HaltingSession extends Session {
  /** Runs one step of the author; what it throws stops the session, also where the author catches it. */
  guard<T>(step: () => Promise<T>): Promise<T>;
  /** Throws what stopped the session, if something did. */
  settle(): void;
}

/**
 * A check that failed must roll back the migration even if its author caught the error, just as a statement does. The
 * engine sees to statements; what fails in this layer, between two of them, is kept here.
 */
export function haltingSession(session: Session): HaltingSession {
  let stopped: { readonly cause: unknown } | null = null;
  const settle = (): void => {
    if (stopped !== null) throw stopped.cause;
  };
  return {
    async execute(statement, options) {
      settle();
      return session.execute(statement, options);
    },
    async guard(step) {
      settle();
      try {
        return await step();
      } catch (cause) {
        stopped ??= { cause };
        throw cause;
      }
    },
    settle,
  };
}
