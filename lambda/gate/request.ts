import type { MigrationsProperties } from '../contract.ts';

/** A custom-resource request, as far as the gate reads it. Scalars inside the properties are always strings. */
export interface GateRequest {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly ResourceType?: string;
  /** A bearer secret: whoever has it can answer for us. Never logged. */
  readonly ResponseURL: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Partial<MigrationsProperties>;
  readonly OldResourceProperties?: Partial<MigrationsProperties>;
}

/** Null for anything that CloudFormation cannot have sent: there is nobody to answer then. */
export function readRequest(event: unknown): GateRequest | null {
  if (typeof event !== 'object' || event === null) return null;
  const texts: readonly (keyof GateRequest)[] = ['RequestId', 'StackId', 'LogicalResourceId', 'ResponseURL'];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const fields = event as Record<string, unknown>;
  if (!texts.every((name) => typeof fields[name] === 'string' && fields[name] !== '')) return null;
  if (!['Create', 'Update', 'Delete'].includes(String(fields['RequestType']))) return null;
  if (!isAnswerable(String(fields['ResponseURL']))) return null;
  const properties = fields['ResourceProperties'];
  if (typeof properties !== 'object' || properties === null) return null;
  // Checked field by field above; the properties are checked where they are used.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return event as GateRequest;
}

/** CloudFormation answers over https; anything else is somebody's own event, unless the services are local ones. */
function isAnswerable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol } = new URL(url);
  return (
    protocol === 'https:' || (protocol === 'http:' && process.env['AWS_ENDPOINT_URL_LAMBDA'] !== undefined)
  );
}

/** When CloudFormation signed the ResponseURL, in milliseconds since 1970; null when the URL does not tell. */
export function askedAt({ ResponseURL }: GateRequest): number | null {
  const signed = new URL(ResponseURL).searchParams.get('X-Amz-Date');
  const match = signed === null ? null : /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(signed);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}
