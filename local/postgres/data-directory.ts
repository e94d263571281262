import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalError } from '../errors.ts';
import type { OsUser } from './os-user.ts';

/** Name of the superuser of every cluster. */
export const SUPERUSER = 'postgres';

const PASSWORD_FILE = 'forerun-password';

/** Creates the cluster unless the folder holds one; returns the superuser's password, which stays beside the data. */
export async function initialise(initdb: string, user: OsUser, home: string): Promise<string> {
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
  await runToEnd(initdb, [`--pgdata=${data}`, ...login, ...locale, '--no-sync', '--no-instructions'], user);
  return password;
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
