import type { RDSDataClient } from '@aws-sdk/client-rds-data';
import { writingClient } from '../../lambda/data-api/database.ts';

export interface ClientPlace {
  readonly endpoint: string;
  /** Names the caller to the Data API, so that a fault strikes this one and no other. */
  readonly accessKeyId: string;
}

/** The product's own client. */
export function clientFor({ endpoint, accessKeyId }: ClientPlace): RDSDataClient {
  return writingClient({
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId, secretAccessKey: 'test' },
  });
}

/** A client that stops listening once `gaveUp` resolves, as after a time limit, while its request goes its way. */
export function impatientClient(place: ClientPlace, gaveUp: Promise<unknown>): RDSDataClient {
  const client = clientFor(place);
  let patient = true;
  client.middlewareStack.add(
    (next) => async (args) => {
      if (!patient) return next(args);
      const answer = next(args);
      const impatience = gaveUp.then(() => {
        patient = false;
        throw new ClientGaveUp('the request took too long');
      });
      // Whichever comes second has nobody who listens any more.
      impatience.catch(() => undefined);
      answer.catch(() => undefined);
      return Promise.race([answer, impatience]);
    },
    { step: 'finalizeRequest' },
  );
  return client;
}

/** The SDK's own name for a request that took too long. */
class ClientGaveUp extends Error {
  override readonly name = 'TimeoutError';
}

/** A client whose process dies right before the n-th call is sent, or right after its answer came. */
export function mortalClient(place: ClientPlace, nth: number, moment: 'before' | 'after'): RDSDataClient {
  const client = clientFor(place);
  let calls = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      calls += 1;
      if (calls !== nth) return next(args);
      if (moment === 'before') return die();
      await next(args).catch(() => undefined);
      return die();
    },
    { step: 'finalizeRequest' },
  );
  return client;
}

/** SIGKILL leaves a process no time for anything; what is not awaited does not happen. */
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}
