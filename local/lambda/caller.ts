/**
 * The access key id in a Signature Version 4 header. It only identifies the caller: the signature itself is not checked,
 * since everybody on this machine could know the key.
 */
export function accessKeyIdOf(headers: Readonly<Record<string, string>>): string | undefined {
  return /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/\d{8}\/[^/]+\/[^/]+\/aws4_request,.*Signature=/.exec(
    headers['authorization'] ?? '',
  )?.[1];
}
