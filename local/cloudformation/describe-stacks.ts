import { randomUUID } from 'node:crypto';

import type { LocalHttpServer } from '../http-server.ts';
import { accessKeyIdOf } from '../lambda/caller.ts';
import { startHttpEndpoint, type HttpReply } from '../lambda/http-endpoint.ts';
import type { Authorize } from '../lambda/admission.ts';
import type { Stack } from './stack.ts';

export interface DescribeStacksOptions {
  /** By name or by id. */
  readonly find: (nameOrId: string) => Stack | undefined;
  readonly authorize?: Authorize;
}

/**
 * `DescribeStacks`, for a stack that is named, over the AWS Query protocol of the unmodified SDK.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
 */
export function startDescribeStacks({ find, authorize }: DescribeStacksOptions): Promise<LocalHttpServer> {
  return startHttpEndpoint(async ({ url, headers, body }) => {
    const accessKeyId = accessKeyIdOf(headers);
    if (accessKeyId === undefined) {
      return refusal(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
    }
    const form = new URLSearchParams(body.length > 0 ? body.toString('utf8') : url.search);
    const action = form.get('Action') ?? '';
    if (action !== 'DescribeStacks') {
      return refusal(400, 'InvalidAction', `The action ${action} is not served on one machine`);
    }
    const name = form.get('StackName') ?? '';
    const stack = find(name);
    const resource = stack?.id ?? name;
    if (
      authorize !== undefined &&
      !(await authorize({ accessKeyId, action: 'cloudformation:DescribeStacks', resource }))
    ) {
      return refusal(
        403,
        'AccessDenied',
        `User: ${accessKeyId} is not authorized to perform: cloudformation:DescribeStacks on resource: ${resource}`,
      );
    }
    return stack === undefined
      ? refusal(400, 'ValidationError', `Stack with id ${name} does not exist`)
      : xml(200, describe(stack));
  });
}

function describe({ name, id, status, reason, outputs, events }: Stack): string {
  const members = Object.entries(outputs).map(
    ([key, value]) =>
      `<member><OutputKey>${escape(key)}</OutputKey><OutputValue>${escape(value)}</OutputValue></member>`,
  );
  const created = new Date(events[0]?.at ?? 0).toISOString();
  return [
    '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">',
    '<DescribeStacksResult><Stacks><member>',
    `<StackName>${escape(name)}</StackName><StackId>${escape(id)}</StackId>`,
    `<CreationTime>${created}</CreationTime>`,
    `<StackStatus>${status}</StackStatus>`,
    reason === undefined ? '' : `<StackStatusReason>${escape(reason)}</StackStatusReason>`,
    `<DisableRollback>false</DisableRollback><Outputs>${members.join('')}</Outputs>`,
    '</member></Stacks></DescribeStacksResult>',
    `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`,
    '</DescribeStacksResponse>',
  ].join('');
}

function refusal(status: number, code: string, message: string): HttpReply {
  return xml(
    status,
    `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${escape(message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );
}

function xml(status: number, body: string): HttpReply {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
