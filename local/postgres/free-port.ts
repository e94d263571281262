import { startHttpServer } from '../http-server.ts';

/** A port of 127.0.0.1 that was free a moment ago; whoever uses it must be ready to ask again. */
export async function freePort(): Promise<number> {
  const probe = await startHttpServer(async () => Promise.resolve());
  await probe.close();
  return probe.port;
}
