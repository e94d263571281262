import type { HttpAnswer } from './http.ts';

/** How Lambda said no. */
export interface Refusal {
  /** The error's name, without the namespace that some answers put behind it. */
  readonly name: string;
  readonly text: string;
  /** For how long such a refusal may pass by itself, in milliseconds; absent for one that stays. */
  readonly passesInMs?: number;
}

/**
 * Refusals after which nothing was started, and how long each may last: grants take up to a minute to be known everywhere, a new
 * or idle function some seconds to become active (Lambda documentation, function states).
 */
const PASSING_MS: Readonly<Record<string, number>> = {
  AccessDeniedException: 60_000,
  ResourceConflictException: 120_000,
  ResourceNotReadyException: 120_000,
  TooManyRequestsException: 120_000,
};

export function refusalOf({ status, headers, body }: HttpAnswer): Refusal {
  const name = String(headers['x-amzn-errortype'] ?? `status ${status}`).split(':')[0] ?? '';
  const fields = fieldsOf(body);
  const message = fields['message'] ?? fields['Message'];
  const passesInMs = PASSING_MS[name] ?? (status === 429 ? 120_000 : undefined);
  return {
    name,
    text: typeof message === 'string' ? `${name}: ${message}` : name,
    ...(passesInMs === undefined ? {} : { passesInMs }),
  };
}

/** The members of a JSON object; none where it is something else. */
export function fieldsOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
