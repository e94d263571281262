import type { MigrationsProperties } from '../contract.ts';

/** A custom-resource request, as far as the gate reads it. Scalars inside the properties are always strings. */
export interface GateRequest {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
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
  if (!URL.canParse(String(fields['ResponseURL']))) return null;
  const properties = fields['ResourceProperties'];
  if (typeof properties !== 'object' || properties === null) return null;
  // Checked field by field above; the properties are checked where they are used.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return event as GateRequest;
}

/** Age of the request in seconds, from the moment its ResponseURL was signed; null when the URL does not tell. */
export function ageInSeconds({ ResponseURL }: GateRequest, nowMs: number): number | null {
  const signed = new URL(ResponseURL).searchParams.get('X-Amz-Date');
  const match = signed === null ? null : /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(signed);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  return (nowMs - Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second)) / 1000;
}
