import { Client, DatabaseError, escapeIdentifier, escapeLiteral } from 'pg';
import { LocalError } from '../errors.ts';
import { startEmbedded } from './embedded.ts';

export interface PostgresOptions {
  /** Uses this server instead of starting one; its user must be allowed to create databases. */
  readonly databaseUrl?: string;
  /** Keeps the data here. Default: a temporary folder that disappears with the server. */
  readonly dataDirectory?: string;
}

/** A PostgreSQL server and a user of it who may create databases. */
export interface LocalPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Creates an empty database. */
  createDatabase(name: string): Promise<void>;
  /** Creates a database that is what another one is now; open sessions of the original are ended. */
  copyDatabase(original: string, name: string): Promise<void>;
  /** Creates the database unless it is there. */
  provideDatabase(name: string): Promise<void>;
  /** Creates a user who may log in, or gives the one that is there this password; the databases become the user's. */
  provideUser(name: string, password: string, databases: readonly string[]): Promise<void>;
  /** Drops a database, also one with open sessions; one that does not exist is no error. */
  dropDatabase(name: string): Promise<void>;
  /** Stops what was started; a server named by URL is left alone. */
  stop(): Promise<void>;
}

/**
 * Starts an embedded PostgreSQL 17 on a free port of 127.0.0.1, or uses an existing server. An embedded one is stopped
 * and its temporary folder removed by `stop()`, and also when this process ends in any other way.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<LocalPostgres> {
  const server: Server =
    options.databaseUrl === undefined
      ? await startEmbedded(options.dataDirectory)
      : existing(options.databaseUrl);
  const administer = async (sql: string): Promise<void> => {
    const { host, port, user, password } = server;
    const client = new Client({ host, port, user, password, database: server.database ?? 'postgres' });
    // A server that goes away says so to whoever waits for an answer; without a listener it would end this process.
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (cause) {
      throw new LocalError(
        'postgres-not-reachable',
        `PostgreSQL on ${host}:${port} takes no connection (${reasonOf(cause)}). Is it running, and are user and password right?`,
        { cause },
      );
    }
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const copying = server.temporary ? COPYING_FILES : '';
  // A wrong address or password is said now, and not by the first database that somebody wants.
  if (options.databaseUrl !== undefined) await administer('select 1');
  return {
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    createDatabase: async (name) => administer(`create database ${escapeIdentifier(name)}${copying}`),
    async copyDatabase(original, name) {
      await administer(endingSessionsOf(original));
      await administer(
        `create database ${escapeIdentifier(name)} template ${escapeIdentifier(original)}${copying}`,
      );
    },
    provideDatabase: async (name) =>
      administer(`create database ${escapeIdentifier(name)}`).catch(unless(DUPLICATE_DATABASE)),
    async provideUser(name, password, databases) {
      const user = escapeIdentifier(name);
      await administer(`create role ${user}`).catch(unless(DUPLICATE_OBJECT));
      await administer(`alter role ${user} login password ${escapeLiteral(password)}`);
      for (const database of databases) {
        await administer(`alter database ${escapeIdentifier(database)} owner to ${user}`);
      }
    },
    dropDatabase: async (name) =>
      administer(`drop database if exists ${escapeIdentifier(name)} with (force)`),
    stop: async () => server.stop(),
  };
}

/**
 * Three to eight times quicker than writing each page to the log first (measured), where nothing is synchronised with the disk.
 * https://www.postgresql.org/docs/17/sql-createdatabase.html
 */
const COPYING_FILES = ' strategy file_copy';

/**
 * PostgreSQL copies only what nobody is connected to; a session on its way out counts for up to a tenth of a second. (From
 * version 14 on `pg_terminate_backend` can wait by itself.)
 */
function endingSessionsOf(database: string): string {
  const open = `pg_stat_activity where datname = ${escapeLiteral(database)}`;
  const body = `begin
  perform pg_terminate_backend(pid) from ${open};
  for turn in 1..500 loop
    exit when not exists (select from ${open});
    perform pg_sleep(0.01);
    perform pg_stat_clear_snapshot();
  end loop;
end`;
  return `do ${escapeLiteral(body)}`;
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Where statements that belong to no database are run. Default: `postgres`. */
  readonly database?: string;
  /** Nothing is synchronised with the disk. */
  readonly temporary: boolean;
  stop(): Promise<void>;
}

/** https://www.postgresql.org/docs/17/errcodes-appendix.html */
const DUPLICATE_DATABASE = '42P04';
const DUPLICATE_OBJECT = '42710';

/** Swallows the one refusal that means that the thing is there already. */
function unless(sqlState: string): (cause: unknown) => void {
  return (cause) => {
    if (!(cause instanceof DatabaseError) || cause.code !== sqlState) throw cause;
  };
}

function existing(databaseUrl: string): Server {
  if (!URL.canParse(databaseUrl)) throw new LocalError('bad-option', 'The database URL is not a URL.');
  const url = new URL(databaseUrl);
  return {
    host: url.hostname,
    port: url.port === '' ? 5432 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.length > 1 ? decodeURIComponent(url.pathname.slice(1)) : 'postgres',
    temporary: false,
    stop: async () => Promise.resolve(),
  };
}

/** The code of a socket or of PostgreSQL; the message could repeat what was sent. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
}
