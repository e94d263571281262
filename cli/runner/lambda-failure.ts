import { ForerunError } from '../../lambda/engine/errors.ts';
import { visible } from '../terminal/visible.ts';
import type { Alias, RunnerName } from './runner-name.ts';

/** Of an ask that did not come back with an answer of the runner. */
export interface Asking {
  readonly runner: RunnerName;
  readonly action: string;
  readonly alias: Alias;
}

const NOT_STARTED = 'The runner was not started, and the database was not touched.';

interface Advice {
  readonly what: (message: string, asking: Asking) => string;
  readonly next: (asking: Asking) => string;
}

const UNKNOWN_CALLER: Advice = {
  what: (message) => `AWS does not know who asks: ${message}`,
  next: () => 'Log in, or choose a profile with AWS_PROFILE, and run the command again.',
};

const WAIT: Advice = {
  what: (message) => `Lambda cannot start the runner now: ${message}`,
  next: () => 'Run the command again in a minute.',
};

/** Errors of the SDK after which the runner provably did not start. */
const REFUSALS: Readonly<Record<string, Advice>> = {
  AccessDeniedException: {
    what: (message) => `AWS does not allow this: ${message}`,
    next: ({ alias }) =>
      `Let somebody grant it, for example with migrations.grant${alias === 'read' ? 'Read' : 'Act'}(…), or choose another profile with AWS_PROFILE.`,
  },
  ResourceNotFoundException: {
    what: (_message, { runner, alias }) =>
      `There is no function ${runner.name} with the alias ${runner.qualifier ?? alias} in this account and region.`,
    next: () =>
      'Look up the name in an output or in the resources of your stack, and mind AWS_REGION and AWS_PROFILE.',
  },
  CredentialsProviderError: UNKNOWN_CALLER,
  ExpiredTokenException: UNKNOWN_CALLER,
  UnrecognizedClientException: UNKNOWN_CALLER,
  InvalidSignatureException: UNKNOWN_CALLER,
  MissingAuthenticationTokenException: UNKNOWN_CALLER,
  TooManyRequestsException: WAIT,
  ResourceConflictException: WAIT,
  ResourceNotReadyException: WAIT,
};

/** Codes of a socket that was never open. */
const NOT_REACHED: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH']);

/** What a failure of the SDK means: `runner-not-asked` only where it is sure that nothing ran. */
export function lambdaFailure(cause: unknown, asking: Asking): ForerunError {
  const { name, message, code, status } = partsOf(cause);
  const advice = REFUSALS[name];
  if (advice !== undefined)
    return notAsked(advice.what(sentence(message), asking), advice.next(asking), cause);
  if (message.startsWith('Region is missing') || message.startsWith('Region not accepted')) {
    const next = 'Set AWS_REGION, choose a profile with AWS_PROFILE, or give --runner the whole ARN.';
    return notAsked('Nothing says in which region the runner is.', next, cause);
  }
  if (NOT_REACHED.has(code)) {
    const next = 'Mind the network, AWS_REGION, and AWS_ENDPOINT_URL_LAMBDA if it is set.';
    return notAsked(`Lambda could not be reached (${code}).`, next, cause);
  }
  if (status >= 400 && status < 500) {
    return notAsked(
      `Lambda refused the call: ${sentence(message)}`,
      'Mend what it says, and run the command again.',
      cause,
    );
  }
  const reason = code !== '' ? code : status > 0 ? `Lambda answered ${status}` : name;
  return unanswered(`The connection to the runner was lost before it answered (${reason}).`, asking, {
    cause,
  });
}

/** The runner's process ended without an answer: it does not load, or ran out of memory or time. */
export function crash(message: string, asking: Asking, log: string): ForerunError {
  return unanswered(`The runner ended without an answer: ${sentence(message)}`, asking, { log });
}

function notAsked(what: string, next: string, cause: unknown): ForerunError {
  return new ForerunError('runner-not-asked', { what, state: NOT_STARTED, next }, { cause });
}

function unanswered(
  what: string,
  { alias, action }: Asking,
  { cause, log = '' }: { readonly cause?: unknown; readonly log?: string },
): ForerunError {
  const changesNothing = alias === 'read';
  const where = log === '' ? '' : ` The last lines of its log:\n${log}`;
  return new ForerunError(
    'runner-unanswered',
    {
      what,
      state: changesNothing
        ? 'Nothing was changed: this command only reads.'
        : `What ${action} has committed stands; it may still be at work, and a transaction left open ends within 20 seconds.`,
      next: `${changesNothing ? 'Run the command again.' : 'Look with forerun status and forerun backfill list, then run the command again: nothing runs twice.'}${where}`,
    },
    { cause },
  );
}

function partsOf(cause: unknown) {
  if (!(cause instanceof Error)) return { name: '', message: String(cause), code: '', status: 0 };
  const metadata: unknown = '$metadata' in cause ? cause.$metadata : undefined;
  const status: unknown =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  return {
    name: cause.name,
    message: cause.message,
    code: 'code' in cause && typeof cause.code === 'string' ? cause.code : '',
    status: typeof status === 'number' ? status : 0,
  };
}

function sentence(text: string): string {
  const line = visible(text.trim());
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
