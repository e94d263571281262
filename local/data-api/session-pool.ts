import { type Login, openSession, type Session } from './session.ts';

/** A session lent out. */
export interface Lent {
  readonly session: Session;
  /** Gives it back; nothing that was set in it survives. Never rejects. */
  release(): Promise<void>;
}

export interface SessionPool {
  borrow(login: Login): Promise<Lent>;
  /** Closes every session, also those in use. */
  close(): Promise<void>;
}

/** Idle sessions kept for one login. */
const IDLE_KEPT = 16;
/** The service's own driver keeps so many prepared statements for each session. */
const PREPARED_KEPT = 100;

/**
 * All that `discard all` does, except for the prepared statements, which the real service keeps.
 * https://www.postgresql.org/docs/17/sql-discard.html
 */
const SCRUB = [
  'close all',
  'set session authorization default',
  'reset all',
  'unlisten *',
  'select pg_catalog.pg_advisory_unlock_all()',
  'discard temp',
  'discard sequences',
].join('; ');

/**
 * Lends sessions. The one given back last is lent first, so that a stale prepared statement shows at once and not by
 * chance; state set by the last borrower never shows, because nobody may count on it.
 */
export function sessionPool(options: { readonly keepPrepared: boolean }): SessionPool {
  const idle = new Map<string, Session[]>();
  const open = new Set<Session>();

  const discard = async (session: Session): Promise<void> => {
    open.delete(session);
    await session.close();
  };
  const takeBack = async (session: Session, kept: Session[]): Promise<void> => {
    if (session.state() === 'lost') return discard(session);
    try {
      if (session.state() !== 'idle') await session.command('rollback');
      await session.command(SCRUB);
      if (!options.keepPrepared || session.preparedCount() > PREPARED_KEPT) await session.forgetPrepared();
      if (kept.length >= IDLE_KEPT) return await discard(session);
      kept.push(session);
      return undefined;
    } catch {
      return discard(session);
    }
  };

  return {
    async borrow(login) {
      const key = JSON.stringify([login.host, login.port, login.user, login.password, login.database]);
      const kept = idle.get(key) ?? [];
      idle.set(key, kept);
      const session = kept.pop() ?? (await openSession(login));
      if (!open.has(session)) {
        open.add(session);
        session.onLost(() => {
          open.delete(session);
          const at = kept.indexOf(session);
          if (at >= 0) kept.splice(at, 1);
        });
      }
      return { session, release: async () => takeBack(session, kept) };
    },
    async close() {
      idle.clear();
      await Promise.all(
        [...open].map(async (session) => {
          // The server does not notice that a client has left until its statement ends.
          await session.cancel();
          await discard(session);
        }),
      );
    },
  };
}
