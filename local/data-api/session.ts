import { Client } from 'pg';
import type { Bound } from './binding.ts';
import { type BackendKey, sendCancel } from './cancel-request.ts';
import { databaseError } from './database-error.ts';
import { ServiceError } from './service-error.ts';
import { execute, prepare, type WireColumn, type WireResult } from './wire.ts';

/** Who logs in, and where. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A statement the server has parsed. */
interface Prepared {
  readonly name: string;
  readonly columns: readonly WireColumn[];
}

/** One session of the database. Everything rejects with a `ServiceError`. */
export interface Session {
  readonly login: Login;
  /** The server's process behind it. */
  readonly backendId: number;
  /** Parses a statement under a name of its own, once for each text and set of types. */
  prepare(text: string, values: readonly Bound[]): Promise<Prepared>;
  execute(prepared: Prepared, values: readonly Bound[]): Promise<WireResult>;
  /** Runs a command without parameters, several if separated; returns the last one's closing word. */
  command(sql: string): Promise<string>;
  /** Reads rows of text for the service's own use. */
  read(sql: string, values: readonly unknown[]): Promise<readonly (readonly (string | null)[])[]>;
  /** Asks the server to stop the running statement; the statement then fails with 57014. */
  cancel(): Promise<void>;
  /** `idle`, in a `transaction`, in a `failed` one, or `lost`. */
  state(): 'idle' | 'transaction' | 'failed' | 'lost';
  /** Called once when the server has ended the session without being asked. */
  onLost(listener: () => void): void;
  /** Forgets the prepared statements. */
  forgetPrepared(): Promise<void>;
  preparedCount(): number;
  close(): Promise<void>;
}

/** The service reads texts back, so their form must not depend on the server's or the role's settings. */
const SETTINGS = [
  'TimeZone=UTC',
  'DateStyle=ISO,MDY',
  'IntervalStyle=postgres',
  'bytea_output=hex',
  'extra_float_digits=1',
];

/** PostgreSQL's word for a prepared statement that is not there. */
const NO_SUCH_STATEMENT = '26000';

/** Opens a session. A refused login rejects like a failed statement. */
export async function openSession(login: Login): Promise<Session> {
  const client = new Client({ ...login, options: SETTINGS.map((setting) => `-c ${setting}`).join(' ') });
  let key: BackendKey = { processId: 0, secret: 0 };
  const lostListeners: (() => void)[] = [];
  let lost = false;
  let closing = false;
  const nowLost = (): void => {
    if (lost || closing) return;
    lost = true;
    for (const listener of lostListeners) listener();
  };
  client.on('error', nowLost);
  client.on('end', nowLost);
  client.connection.once('backendKeyData', (message: { processID: number; secretKey: number }) => {
    key = { processId: message.processID, secret: message.secretKey };
  });
  await asService(client.connect());

  const prepared = new Map<string, Prepared>();
  let counter = 0;
  return {
    login,
    backendId: key.processId,
    async prepare(text, values) {
      const types = values.map(({ oid }) => oid);
      const identity = `${types.join(',')} ${text}`;
      const known = prepared.get(identity);
      if (known !== undefined) return known;
      counter += 1;
      const name = `sqlx_s_${counter}`;
      const fresh = { name, columns: await asService(prepare(client, { name, text, types })) };
      prepared.set(identity, fresh);
      return fresh;
    },
    async execute({ name }, values) {
      const texts = values.map(({ text }) => text);
      try {
        return await asService(execute(client, name, texts));
      } catch (error) {
        // Somebody's `deallocate` or `discard` took the statements away; the next caller must not suffer for it.
        if (error instanceof ServiceError && error.sqlState === NO_SUCH_STATEMENT) prepared.clear();
        throw error;
      }
    },
    async command(sql) {
      const results: unknown = await asService(client.query(sql));
      const last: unknown = Array.isArray(results) ? results.at(-1) : results;
      return typeof last === 'object' && last !== null && 'command' in last ? String(last.command) : '';
    },
    async read(sql, values) {
      const result = await asService(
        client.query<(string | null)[]>({ text: sql, values: [...values], rowMode: 'array' }),
      );
      return result.rows;
    },
    cancel: async () => sendCancel(login, key),
    state() {
      if (lost || closing) return 'lost';
      const status = client.getTransactionStatus();
      if (status === 'E') return 'failed';
      return status === 'T' ? 'transaction' : 'idle';
    },
    onLost(listener) {
      lostListeners.push(listener);
    },
    async forgetPrepared() {
      prepared.clear();
      await asService(client.query('deallocate all'));
    },
    preparedCount: () => prepared.size,
    async close() {
      closing = true;
      // A session that is gone already has nothing to say goodbye to.
      await client.end().catch(() => {});
    },
  };
}

async function asService<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw databaseError(error);
  }
}
