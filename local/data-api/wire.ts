import type { Client } from 'pg';

/** A result column as the server describes it. */
export interface WireColumn {
  readonly name: string;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeID: number;
  readonly dataTypeModifier: number;
}

/** Rows in the server's own text form. */
export interface WireResult {
  readonly rows: readonly (readonly (string | null)[])[];
  /** The server's closing word, such as `INSERT 0 3`. */
  readonly tag: string;
}

/** The part of pg's connection that is spoken to; its own types leave the numbers out. */
interface Connection {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { name: string; text: string; types: readonly number[] }): void;
  describe(message: { type: 'S'; name: string }): void;
  bind(message: { portal: string; statement: string; values: readonly (string | null)[] }): void;
  execute(message: { portal: string; rows: number }): void;
  sendCopyFail(message: string): void;
  sync(): void;
}

/**
 * Prepares a statement under a name and asks for its columns.
 * https://www.postgresql.org/docs/17/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export async function prepare(
  client: Client,
  statement: { readonly name: string; readonly text: string; readonly types: readonly number[] },
): Promise<readonly WireColumn[]> {
  let columns: readonly WireColumn[] = [];
  await exchange(client, {
    send(connection) {
      connection.parse(statement);
      connection.describe({ type: 'S', name: statement.name });
    },
    columns: (fields) => {
      columns = fields;
    },
  });
  return columns;
}

/** Binds values to a prepared statement and runs it to its end. */
export async function execute(
  client: Client,
  name: string,
  values: readonly (string | null)[],
): Promise<WireResult> {
  const rows: (readonly (string | null)[])[] = [];
  let tag = '';
  await exchange(client, {
    send(connection) {
      connection.bind({ portal: '', statement: name, values });
      connection.execute({ portal: '', rows: 0 });
    },
    row: (fields) => rows.push(fields),
    complete: (text) => {
      tag = text;
    },
  });
  return { rows, tag };
}

interface Exchange {
  send(connection: Connection): void;
  columns?(fields: readonly WireColumn[]): void;
  row?(fields: readonly (string | null)[]): void;
  complete?(tag: string): void;
}

/** One round trip: messages, then Sync; resolves at the server's ready, rejects with the server's error. */
async function exchange(client: Client, steps: Exchange): Promise<void> {
  return new Promise((resolve, reject) => {
    // The methods' names are those that pg calls on the query it is working on.
    const query = {
      submit(connection: object) {
        if (!speaks(connection)) return reject(new TypeError('Not a connection of pg'));
        // One packet instead of four.
        connection.stream.cork();
        steps.send(connection);
        connection.sync();
        connection.stream.uncork();
        // pg reads anything else as the refusal of the query.
        return null;
      },
      handleRowDescription: (message: { fields: readonly WireColumn[] }) => steps.columns?.(message.fields),
      handleDataRow: (message: { fields: readonly (string | null)[] }) => steps.row?.(message.fields),
      handleCommandComplete: (message: { text: string }) => steps.complete?.(message.text),
      handleEmptyQuery: () => {},
      handlePortalSuspended: () => {},
      handleCopyInResponse(connection: Connection) {
        connection.sendCopyFail('There is no stream to copy from');
        // The server has swallowed the first one while it waited for data.
        connection.sync();
      },
      handleCopyData: () => {},
      handleError: reject,
      handleReadyForQuery: () => {
        resolve();
      },
    };
    client.query(query);
  });
}

function speaks(connection: object): connection is Connection {
  return 'parse' in connection && 'sendCopyFail' in connection;
}
