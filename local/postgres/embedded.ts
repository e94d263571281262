import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalError } from '../errors.ts';
import { findPostgresBinaries, type PostgresBinaries } from './binaries.ts';
import { freePort } from './free-port.ts';
import { type OsUser, serverUser } from './os-user.ts';
import { watchOver } from './undertaker.ts';

/** A server of our own, with its superuser. */
export interface EmbeddedPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  stop(): Promise<void>;
}

const SUPERUSER = 'postgres';
const PASSWORD_FILE = 'forerun-password';
/** Another program may take a free port before the server does. */
const PORT_ATTEMPTS = 5;

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
  const home = dataDirectory ?? (await mkdtemp(join(tmpdir(), 'forerun-postgres-')));
  const temporary = dataDirectory === undefined;
  const remove = async (): Promise<void> => rm(home, { recursive: true, force: true });
  try {
    await mkdir(home, { recursive: true });
    if (user.uid !== undefined && user.gid !== undefined) await chown(home, user.uid, user.gid);
    const password = await initialise(binaries, user, home);
    const { child, port } = await startServer(binaries, user, home, temporary ? TEMPORARY_FLAGS : []);
    const dismiss = watchOver({ pid: child.pid ?? 0, ...(temporary ? { removeDirectory: home } : {}) });
    return {
      host: '127.0.0.1',
      port,
      user: SUPERUSER,
      password,
      async stop() {
        await stopServer(child, temporary ? 'SIGQUIT' : 'SIGINT');
        if (temporary) await remove();
        dismiss();
      },
    };
  } catch (error) {
    if (temporary) await remove();
    throw error;
  }
}

/** Creates the cluster unless the folder holds one; returns the superuser's password, which stays beside the data. */
async function initialise(binaries: PostgresBinaries, user: OsUser, home: string): Promise<string> {
  const file = join(home, PASSWORD_FILE);
  const data = join(home, 'data');
  const exists = await access(join(data, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (exists) return readFile(file, 'utf8');
  const password = randomBytes(18).toString('base64url');
  await writeFile(file, password, { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) await chown(file, user.uid, user.gid);
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const login = [`--username=${SUPERUSER}`, `--pwfile=${file}`, '--auth=scram-sha-256'];
  await runToEnd(
    binaries.initdb,
    [`--pgdata=${data}`, ...login, ...locale, '--no-sync', '--no-instructions'],
    user,
  );
  return password;
}

async function startServer(
  binaries: PostgresBinaries,
  user: OsUser,
  home: string,
  flags: readonly string[],
): Promise<{ child: ChildProcess; port: number }> {
  const settings = [
    'unix_socket_directories=',
    'max_connections=200',
    'timezone=UTC',
    'log_statement=none',
    ...flags,
  ];
  let said = '';
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt += 1) {
    const port = await freePort();
    const options = settings.flatMap((setting) => ['-c', setting]);
    const child = spawn(
      binaries.postgres,
      ['-D', join(home, 'data'), '-h', '127.0.0.1', '-p', String(port), ...options],
      { ...user, cwd: home, env: { ...process.env, LC_ALL: 'C' }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const outcome = await firstWord(child);
    if (outcome.ready) {
      letGo(child);
      return { child, port };
    }
    said = outcome.said;
    if (!said.includes('Address already in use')) break;
  }
  throw new LocalError(
    'postgres-not-started',
    `The embedded PostgreSQL did not start: ${said.trim().slice(-500)}`,
  );
}

/** Waits until the server accepts connections or has ended; after that its log is drained and dropped. */
async function firstWord(child: ChildProcess): Promise<{ ready: boolean; said: string }> {
  return new Promise((resolve) => {
    let said = '';
    let answered = false;
    const answer = (ready: boolean): void => {
      answered = true;
      resolve({ ready, said });
    };
    child.stderr?.on('data', (chunk: Buffer) => {
      if (answered) return;
      said += chunk.toString('utf8');
      if (said.includes('ready to accept connections')) answer(true);
    });
    child.once('error', (error) => {
      said += error.message;
      answer(false);
    });
    child.once('exit', () => {
      answer(false);
    });
  });
}

/** A server that was forgotten must not keep our process alive; the undertaker stops it then. */
function letGo(child: ChildProcess): void {
  child.unref();
  if (child.stderr instanceof Socket) child.stderr.unref();
}

async function stopServer(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

async function runToEnd(program: string, parameters: readonly string[], user: OsUser): Promise<void> {
  const child = spawn(program, [...parameters], {
    ...user,
    cwd: '/',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      said += error.message;
      resolve(null);
    });
    child.once('close', resolve);
  });
  if (code !== 0) {
    throw new LocalError(
      'postgres-not-started',
      `The embedded PostgreSQL could not be set up: ${said.trim().slice(-500)}`,
    );
  }
}
