import type { MigrationsProperties } from '../contract.ts';

/** Properties as they came: CloudFormation sends every scalar as text, but whoever wrote the template may have put anything there. */
export type GivenProperties = { readonly [Name in keyof MigrationsProperties]?: unknown };

/** A custom-resource request, as far as the gate reads it. */
export interface GateRequest {
  /** `unknown` for whatever else was sent: it is answered, and nothing is done. */
  readonly RequestType: 'Create' | 'Update' | 'Delete' | 'unknown';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly ResourceType?: string;
  /** A bearer secret: whoever has it can answer for us. Never logged. */
  readonly ResponseURL: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: GivenProperties;
  readonly OldResourceProperties?: GivenProperties;
}

/**
 * Null where there is nobody to answer. Whoever can be answered is answered, however odd the rest is: silence would hold the stack
 * for an hour. What is not of the type that CloudFormation sends counts as absent.
 */
export function readRequest(event: unknown): GateRequest | null {
  if (!isObject(event)) return null;
  const { RequestId, StackId, LogicalResourceId, ResponseURL, RequestType, ...rest } = event;
  if (!isText(RequestId) || !isText(StackId) || !isText(LogicalResourceId)) return null;
  if (!isText(ResponseURL) || !isAnswerable(ResponseURL)) return null;
  const { ResourceType, PhysicalResourceId, ResourceProperties, OldResourceProperties } = rest;
  return {
    RequestType: TYPES.find((type) => type === RequestType) ?? 'unknown',
    RequestId,
    StackId,
    LogicalResourceId,
    ResponseURL,
    ...(isText(ResourceType) ? { ResourceType } : {}),
    ...(isText(PhysicalResourceId) ? { PhysicalResourceId } : {}),
    // The properties are checked where they are used.
    ResourceProperties: isObject(ResourceProperties) ? ResourceProperties : {},
    ...(isObject(OldResourceProperties) ? { OldResourceProperties } : {}),
  };
}

const TYPES = ['Create', 'Update', 'Delete'] as const;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/**
 * CloudFormation answers over https; anything else is somebody's own event, unless the services are local ones. The host is not
 * looked at: which hosts CloudFormation uses in each region and partition is documented nowhere, and one refused wrongly would hold a
 * stack for an hour.
 */
function isAnswerable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol } = new URL(url);
  return (
    protocol === 'https:' || (protocol === 'http:' && process.env['AWS_ENDPOINT_URL_LAMBDA'] !== undefined)
  );
}

/** How long CloudFormation's signature of a ResponseURL holds, in milliseconds. */
const SIGNED_FOR_MS = 7_200_000;

/** When CloudFormation signed the ResponseURL, in milliseconds since 1970; null when the URL does not tell. */
export function askedAt({ ResponseURL }: GateRequest): number | null {
  const { searchParams } = new URL(ResponseURL);
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(searchParams.get('X-Amz-Date') ?? '');
  if (match !== null) {
    const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
    return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  }
  // Signed the old way, it only says until when it holds, in seconds.
  const expires = searchParams.get('Expires') ?? '';
  return /^\d{9,11}$/.test(expires) ? Number(expires) * 1000 - SIGNED_FOR_MS : null;
}
