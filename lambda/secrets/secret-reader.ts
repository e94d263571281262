import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ForerunError, UNTOUCHED } from '../engine/errors.ts';

/** Which secret, and which member of it where it holds JSON and not all of it is wanted. */
interface WantedSecret {
  readonly nameOrArn: string;
  readonly field: string | undefined;
}

/** Reads secrets, and keeps them out of what is said. */
export interface SecretReader {
  /** The wanted text; a secret is fetched once. Rejects with a `ForerunError`. */
  read(wanted: WantedSecret): Promise<string>;
  /** The text without anything that was read. */
  hide(text: string): string;
}

/** Shorter texts are no secrets, and taking every "a" out of a message would make it unreadable. */
const SHORTEST_HIDDEN = 3;

export function secretReader(client: () => SecretsManagerClient = newClient): SecretReader {
  const fetched = new Map<string, Promise<string>>();
  const hidden = new Set<string>();
  return {
    async read(wanted) {
      const { nameOrArn, field } = wanted;
      const held = fetched.get(nameOrArn) ?? fetchSecret(client(), nameOrArn);
      fetched.set(nameOrArn, held);
      const whole = await held;
      const text = field === undefined ? whole : memberOf(whole, wanted, field);
      for (const part of partsOf(text)) if (part.length >= SHORTEST_HIDDEN) hidden.add(part);
      return text;
    },
    hide: (text) =>
      [...hidden]
        .toSorted((one, other) => other.length - one.length)
        .reduce((shown, part) => shown.replaceAll(part, '[secret]'), text),
  };
}

/** One request, retried by the SDK: reading twice does no harm. */
function newClient(): SecretsManagerClient {
  return new SecretsManagerClient({ requestHandler: { requestTimeout: 10_000, connectionTimeout: 5_000 } });
}

async function fetchSecret(client: SecretsManagerClient, nameOrArn: string): Promise<string> {
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: nameOrArn }));
    if (SecretString !== undefined) return SecretString;
  } catch (cause) {
    throw unavailable(nameOrArn, cause instanceof Error ? cause.name : 'an unknown failure');
  }
  throw unavailable(nameOrArn, 'it holds bytes, not text');
}

function unavailable(nameOrArn: string, why: string): ForerunError {
  return new ForerunError('secret-unavailable', {
    what: `The secret ${nameOrArn} could not be read (${why}).`,
    state: UNTOUCHED,
    next: 'Look whether it exists in this region and account, and name it in the property secrets of Migrations, so that the runner may read it.',
  });
}

/** The text itself, its members where it is JSON, and both as they look inside of JSON. */
function partsOf(text: string): readonly string[] {
  const parts = [text, ...membersOf(text)];
  const quoted = parts.map((part) => part.replaceAll("'", "''"));
  return [...parts, ...quoted, ...[...parts, ...quoted].map((part) => JSON.stringify(part).slice(1, -1))];
}

const membersOf = (text: string): readonly string[] =>
  Object.values(jsonOf(text)).filter((value) => typeof value === 'string');

function memberOf(text: string, { nameOrArn }: WantedSecret, field: string): string {
  const value = jsonOf(text)[field];
  if (typeof value === 'string' && value !== '') return value;
  throw new ForerunError('secret-unavailable', {
    what: `The secret ${nameOrArn} holds no text under "${field}".`,
    state: UNTOUCHED,
    next: `Give the secret a JSON member "${field}", or correct the name in the migration.`,
  });
}

/** Empty where the text is no JSON object; the parser's own message would quote it. */
function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
