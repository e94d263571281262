import { readFile } from 'node:fs/promises';
import { LocalError } from '../errors.ts';

/** Whom the server's process runs as; empty means as ourselves. */
export interface OsUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** Accounts tried when we are root: PostgreSQL's own, else the one without rights that every system has. */
const CANDIDATES = ['postgres', 'nobody'];

/**
 * PostgreSQL refuses to run as root, so root lends an existing account without rights; nothing is added to the machine.
 * https://www.postgresql.org/docs/17/postgres-user.html
 */
export async function serverUser(): Promise<OsUser> {
  if (process.getuid?.() !== 0) return {};
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const candidate of CANDIDATES) {
    const [, , uid, gid] = accounts.find(([name]) => name === candidate) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new LocalError(
    'postgres-not-started',
    `PostgreSQL does not run as root and none of these accounts exists: ${CANDIDATES.join(', ')}.`,
  );
}
