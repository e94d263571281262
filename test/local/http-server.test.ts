import { expect, it, onTestFinished } from 'vitest';
import { startHttpServer } from '../../local/http-server.ts';

it('keeps the beginning of a body that is too long, and tells its whole length', async () => {
  const seen: { kept: number; sent: number }[] = [];
  const server = await startHttpServer(
    async ({ body, bodyBytes }, response) => {
      seen.push({ kept: body.length, sent: bodyBytes });
      response.end();
      return Promise.resolve();
    },
    { keepBytes: 1000 },
  );
  onTestFinished(async () => server.close());
  const send = async (length: number): Promise<unknown> =>
    fetch(server.url, { method: 'POST', body: Buffer.alloc(length, 'x') });
  await send(1000);
  await send(20_000_000);
  expect(seen[0]).toStrictEqual({ kept: 1000, sent: 1000 });
  expect(seen[1]?.sent).toBe(20_000_000);
  // Whole chunks are kept, so it is a little more than asked for.
  expect(seen[1]?.kept).toBeLessThan(1_000_000);
});
