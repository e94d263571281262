/** What is asked of `authorize`. */
export interface AuthorizeRequest {
  readonly accessKeyId: string;
  /** As IAM names it, such as `rds-data:ExecuteStatement`. */
  readonly action: string;
  /** The ARN it is done to. */
  readonly resource: string;
}

/** True allows; false, or a text that says why, refuses with 403. */
export type Authorize = (request: AuthorizeRequest) => boolean | string;

const HEADER =
  /^AWS4-HMAC-SHA256 +Credential=(?<key>[^/,\s]+)\/\d{8}\/[^/]+\/(?<service>[^/]+)\/aws4_request, *SignedHeaders=[^,\s]+, *Signature=[0-9a-f]{64}$/u;

/**
 * The access key of a request signed for a service, undefined if it is not; the signature itself is not checked.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
 */
export function signedAccessKey(
  headers: Readonly<Record<string, string>>,
  service: string,
): string | undefined {
  const groups = HEADER.exec(headers['authorization'] ?? '')?.groups;
  return groups?.['service'] === service ? groups['key'] : undefined;
}

/** Why `authorize` refuses, in IAM's words; undefined if it does not. */
export function denial(authorize: Authorize | undefined, request: AuthorizeRequest): string | undefined {
  const answer = authorize?.(request) ?? true;
  if (answer === true) return undefined;
  const reason = answer === false ? '' : ` ${answer}`;
  const { accessKeyId, action, resource } = request;
  return `User: ${accessKeyId} is not authorized to perform: ${action} on resource: ${resource}.${reason}`;
}
