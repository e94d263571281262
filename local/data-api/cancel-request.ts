import { connect } from 'node:net';

/** What the server gives out at login, and what it wants to see before it cancels anything. */
export interface BackendKey {
  readonly processId: number;
  readonly secret: number;
}

/** First word of the message. https://www.postgresql.org/docs/17/protocol-message-formats.html */
const CANCEL_CODE = 80_877_102;

/** Cancelling goes over a connection of its own; the server answers by closing it. */
export async function sendCancel(
  server: { readonly host: string; readonly port: number },
  key: BackendKey,
): Promise<void> {
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL_CODE, 4);
  message.writeInt32BE(key.processId, 8);
  message.writeInt32BE(key.secret, 12);
  await new Promise<void>((resolve) => {
    const socket = connect(server.port, server.host, () => socket.write(message));
    // Reading is what lets the end be seen. An unreachable server has no statement left to cancel.
    socket.on('error', () => {}).resume();
    socket.once('close', () => {
      resolve();
    });
  });
}
