import { randomUUID } from 'node:crypto';

import { invalid } from './read-updates.ts';

/**
 * The token that the next checkpoint must bring. Each is good for one checkpoint of one invocation, so what an invocation
 * that was given up still says is not heard.
 */
export interface CheckpointTokens<Answer> {
  /** Makes a new token; the one before it is void. */
  readonly renew: () => string;
  /** No checkpoint is taken any more until the next `renew`. */
  readonly revoke: () => void;
  /** Refuses any other token than the current one. */
  readonly demand: (token: string) => void;
  /**
   * Takes a checkpoint with the current token. The same request once more, because its answer was lost on the way, gets
   * the same answer.
   */
  readonly once: (request: TokenUse, take: () => Answer) => Answer;
}

interface TokenUse {
  readonly token: string;
  /** The same when a client sends a request again. */
  readonly clientToken: string | undefined;
}

/** Starts without a token. */
export function createCheckpointTokens<Answer>(): CheckpointTokens<Answer> {
  let current: string | undefined;
  let last: (TokenUse & { readonly answer: Answer }) | undefined;
  const demand = (token: string): void => {
    if (token !== current) {
      // The SDK knows this refusal by how it begins.
      throw invalid('Invalid Checkpoint Token');
    }
  };
  return {
    renew() {
      current = randomUUID();
      return current;
    },
    revoke() {
      current = undefined;
      last = undefined;
    },
    demand,
    once(request, take) {
      const isRepeated =
        request.clientToken !== undefined &&
        request.clientToken === last?.clientToken &&
        request.token === last.token;
      if (isRepeated && last !== undefined) {
        return last.answer;
      }
      demand(request.token);
      const answer = take();
      last = { ...request, answer };
      return answer;
    },
  };
}
