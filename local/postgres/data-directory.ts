import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalError } from '../errors.ts';
import type { OsUser } from './os-user.ts';

/** Name of the superuser of every cluster. */
export const SUPERUSER = 'postgres';

/** Of the server that is started. */
const POSTGRES_MAJOR = '17';

const PASSWORD_FILE = 'forerun-password';

/** Creates the cluster unless the folder holds one; returns the superuser's password, which stays beside the data. */
export async function initialise(initdb: string, user: OsUser, home: string): Promise<string> {
  const file = join(home, PASSWORD_FILE);
  const data = join(home, 'data');
  const version = await readIfThere(join(data, 'PG_VERSION'));
  if (version !== undefined) return passwordOf(home, version.trim(), await readIfThere(file));
  const strangers = (await readdir(home)).filter((name) => name !== PASSWORD_FILE && name !== 'data');
  if (strangers.length > 0) {
    throw new LocalError(
      'bad-option',
      `${home} holds other files; name an empty or a new folder for the data.`,
    );
  }
  const password = randomBytes(18).toString('base64url');
  await writeFile(file, password, { mode: 0o600 });
  if (user.uid !== undefined && user.gid !== undefined) await chown(file, user.uid, user.gid);
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const login = [`--username=${SUPERUSER}`, `--pwfile=${file}`, '--auth=scram-sha-256'];
  await runToEnd(initdb, [`--pgdata=${data}`, ...login, ...locale, '--no-sync', '--no-instructions'], user);
  return password;
}

/**
 * The password beside a cluster that is there already, if this server can work with its files: those of another major
 * version it cannot. https://www.postgresql.org/docs/17/upgrading.html
 */
function passwordOf(home: string, version: string, password: string | undefined): string {
  if (version !== POSTGRES_MAJOR) {
    throw new LocalError(
      'bad-option',
      `${home} was written by PostgreSQL ${version}, and this is PostgreSQL ${POSTGRES_MAJOR}; name another folder.`,
    );
  }
  if (password === undefined) {
    throw new LocalError(
      'bad-option',
      `${home} holds a database that was not made here; name another folder.`,
    );
  }
  return password;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
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
