import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ForerunError, UNTOUCHED } from '../engine/errors.ts';

/** Reads secrets, and keeps them out of what is said. */
export interface SecretReader {
  /** The whole text of a secret, read once. Rejects with a `ForerunError`. */
  read(nameOrArn: string): Promise<string>;
  /** The text without any secret that was read, nor any part of one that is a JSON member. */
  hide(text: string): string;
}

/** Shorter texts are no secrets, and taking every "a" out of a message would make it unreadable. */
const SHORTEST_HIDDEN = 3;

export function secretReader(client: () => SecretsManagerClient = newClient): SecretReader {
  const held = new Map<string, Promise<string>>();
  const hidden = new Set<string>();
  return {
    read(nameOrArn) {
      const known = held.get(nameOrArn) ?? fetchSecret(client(), nameOrArn);
      held.set(nameOrArn, known);
      return known.then((text) => {
        for (const part of partsOf(text)) if (part.length >= SHORTEST_HIDDEN) hidden.add(part);
        return text;
      });
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
  return [...parts, ...parts.map((part) => JSON.stringify(part).slice(1, -1))];
}

function membersOf(text: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null
      ? Object.values(parsed).filter((value) => typeof value === 'string')
      : [];
  } catch {
    return [];
  }
}
