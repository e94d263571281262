import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { RUNNER_ALIASES, type RunnerAnswer } from '../../lambda/contract.ts';
import { crash, lambdaFailure, type Asking } from './lambda-failure.ts';
import type { Alias, RunnerName } from './runner-name.ts';

/** What is sent: an action with its members. The runner itself holds it against its schema. */
export type RunnerAsk = { readonly action: string } & Readonly<Record<string, unknown>>;

/** Longer than any call of Lambda (15 minutes): whoever waits longer waits for a connection that is gone. */
const WHOLE_CALL_MS = 16 * 60_000;
const CONNECT_MS = 10_000;

/** Somebody who can be asked more than once, over connections that stay open. */
export interface RunnerClient {
  /** @throws ForerunError `runner-not-asked`, `runner-unanswered` */
  ask(ask: RunnerAsk, alias: Alias, signal?: AbortSignal): Promise<RunnerAnswer>;
  close(): void;
}

/** Region and credentials come from where every client of AWS finds them; the region of an ARN goes before. */
export function runnerClient(runner: RunnerName): RunnerClient {
  const clientWith = (maxAttempts: number): LambdaClient =>
    new LambdaClient({
      maxAttempts,
      ...(runner.region === null ? {} : { region: runner.region }),
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: WHOLE_CALL_MS,
        socketTimeout: WHOLE_CALL_MS,
        throwOnRequestTimeout: true,
        // A gateway forgets a silent connection after some minutes; the runner is silent while it works.
        httpsAgent: { keepAlive: true, keepAliveMsecs: 30_000 },
      },
    });
  const clients: Readonly<Record<Alias, LambdaClient>> = {
    read: clientWith(3),
    // What may have run is never sent again blindly.
    act: clientWith(1),
  };
  return {
    async ask(ask, alias, signal) {
      const asking: Asking = { runner, action: ask.action, alias };
      const command = new InvokeCommand({
        FunctionName: runner.name,
        Qualifier: runner.qualifier ?? RUNNER_ALIASES[alias],
        Payload: JSON.stringify(ask),
        LogType: 'Tail',
      });
      const sent = clients[alias].send(command, signal === undefined ? {} : { abortSignal: signal });
      const { Payload, FunctionError, LogResult } = await sent.catch((cause: unknown) => {
        throw lambdaFailure(cause, asking);
      });
      const text = Buffer.from(Payload ?? []).toString();
      if (FunctionError === undefined) return answerIn(text, asking);
      throw crash(
        messageIn(text),
        asking,
        Buffer.from(LogResult ?? '', 'base64')
          .toString()
          .trim(),
      );
    },
    close() {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

function answerIn(text: string, asking: Asking): RunnerAnswer {
  const answer = parsed(text);
  if (typeof answer === 'object' && answer !== null && 'ok' in answer && 'action' in answer) {
    // A runner wrote it; what an older or newer one leaves out or adds is looked for where it is shown.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return answer as RunnerAnswer;
  }
  throw crash('its answer is none of a runner of Forerun; is --runner the right function?', asking, '');
}

function messageIn(text: string): string {
  const error = parsed(text);
  return typeof error === 'object' && error !== null && 'errorMessage' in error
    ? String(error.errorMessage)
    : 'Lambda gives no reason.';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
