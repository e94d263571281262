import { isRecord, textAt } from './plain-values.ts';
import { ResourceFailure } from './resource-failure.ts';

/** Of the whole body, inclusive. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html */
const MAX_ANSWER_BYTES = 4096;

/** Limit of a physical id, in bytes. */
const MAX_ID_BYTES = 1024;

export interface Asked {
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
}

export interface Answer {
  readonly physicalId: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Checks what a custom resource answered; anything but a correct SUCCESS is a failure of the resource. */
export function readAnswer(body: Buffer, asked: Asked): Answer {
  if (body.length > MAX_ANSWER_BYTES) {
    throw new ResourceFailure('Response object is too long.');
  }
  const answer = parse(body);
  const physicalId = textAt(answer, 'PhysicalResourceId') ?? '';
  if (textAt(answer, 'Status') === 'FAILED') {
    throw new ResourceFailure(
      `Received response status [FAILED] from custom resource. Message returned: ${textAt(answer, 'Reason') ?? ''} (RequestId: ${asked.RequestId})`,
      physicalId === '' ? undefined : physicalId,
    );
  }
  if (textAt(answer, 'Status') !== 'SUCCESS') {
    throw new ResourceFailure('Invalid response status: it must be SUCCESS or FAILED.');
  }
  for (const key of ['StackId', 'RequestId', 'LogicalResourceId'] as const) {
    if (textAt(answer, key) !== asked[key]) {
      throw new ResourceFailure(`Invalid response: ${key} does not match the request.`);
    }
  }
  if (physicalId === '' || Buffer.byteLength(physicalId) > MAX_ID_BYTES) {
    throw new ResourceFailure('Invalid PhysicalResourceId');
  }
  const data = answer['Data'];
  return { physicalId, data: isRecord(data) ? data : {} };
}

function parse(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    return isRecord(json) ? json : {};
  } catch {
    throw new ResourceFailure('Response is not valid JSON');
  }
}
