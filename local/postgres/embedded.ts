import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findPostgresBinaries } from './binaries.ts';
import { initialise, SUPERUSER } from './data-directory.ts';
import { serverUser } from './os-user.ts';
import { startServer, stopServer } from './server-process.ts';
import { watchOver } from './undertaker.ts';

/** A server of our own, with its superuser. */
interface EmbeddedPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Its data disappears with it, so nothing is synchronised with the disk. */
  readonly temporary: boolean;
  stop(): Promise<void>;
}

/** Without these a crash of the machine would lose data; a temporary server has none to lose. */
const TEMPORARY_FLAGS = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
];

/**
 * Starts an embedded PostgreSQL on a free port of 127.0.0.1, in a temporary folder that disappears with it, or in
 * `dataDirectory`, which stays. Silent; no socket file.
 */
export async function startEmbedded(dataDirectory?: string): Promise<EmbeddedPostgres> {
  const [binaries, user] = await Promise.all([findPostgresBinaries(), serverUser()]);
  const temporary = dataDirectory === undefined;
  const home = temporary ? await mkdtemp(join(tmpdir(), 'forerun-postgres-')) : resolve(dataDirectory);
  const dismiss = watchOver(home, { remove: temporary });
  const cleanUp = async (): Promise<void> => {
    if (temporary) await rm(home, { recursive: true, force: true });
    dismiss();
  };
  try {
    await mkdir(home, { recursive: true });
    if (user.uid !== undefined && user.gid !== undefined) await chown(home, user.uid, user.gid);
    const password = await initialise(binaries.initdb, user, home);
    const { child, port } = await startServer(
      binaries.postgres,
      user,
      home,
      temporary ? TEMPORARY_FLAGS : [],
    );
    return {
      host: '127.0.0.1',
      port,
      user: SUPERUSER,
      password,
      temporary,
      async stop() {
        await stopServer(child, temporary ? 'SIGQUIT' : 'SIGINT');
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
