import { randomUUID } from 'node:crypto';

import type { Clock } from '../../clock.ts';
import { LambdaServiceError } from '../../lambda/service-error.ts';
import type { LocalLambda } from '../../lambda/start-lambda.ts';
import type { AnswerServer } from '../answer-server.ts';
import { readAnswer, type Answer } from '../custom-resource-answer.ts';
import { isRecord, numberAt, scalarText, textAt } from '../plain-values.ts';
import { ResourceFailure } from '../resource-failure.ts';
import type { Made, ResourceHandler, ResourceRequest } from '../resource-handler.ts';

export interface CustomResourceOptions {
  readonly lambda: Pick<LocalLambda, 'invokeAsync'>;
  readonly answers: AnswerServer;
  readonly clock: Clock;
}

/** How long CloudFormation waits where the resource does not say: one hour, also the most. */
const DEFAULT_TIMEOUT_SECONDS = 3600;

/**
 * Plays custom resources by the protocol that their functions know: the event goes out as an asynchronous invocation,
 * the answer comes back by PUT. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
 */
export function customResourceHandler(options: CustomResourceOptions): ResourceHandler {
  return {
    async create(request) {
      try {
        return made(await ask(options, request, 'Create'));
      } catch (error) {
        if (error instanceof ResourceFailure && error.physicalId === undefined) {
          // What was made is unknown, so the rollback deletes by an invented id.
          throw new ResourceFailure(error.message, request.inventedName);
        }
        throw error;
      }
    },
    async update(request) {
      const { properties, oldProperties, physicalId } = request;
      if (textAt(properties, 'ServiceToken') !== textAt(oldProperties, 'ServiceToken')) {
        throw new ResourceFailure('Modifying service token is not allowed.');
      }
      return made(
        await ask(options, request, 'Update', {
          PhysicalResourceId: physicalId,
          OldResourceProperties: asStrings(oldProperties),
        }),
      );
    },
    async delete(request) {
      await ask(options, request, 'Delete', { PhysicalResourceId: request.physicalId });
    },
    attribute(resource, name) {
      throw new ResourceFailure(
        `CustomResource attribute error: Vendor response doesn't contain ${name} attribute in object ${resource.physicalId}`,
      );
    },
  };
}

function made({ physicalId, data }: Answer): Made {
  return { physicalId, attributes: data };
}

async function ask(
  { lambda, answers, clock }: CustomResourceOptions,
  { stack, logicalId, type, properties, interrupted }: ResourceRequest,
  requestType: 'Create' | 'Update' | 'Delete',
  more: Readonly<Record<string, unknown>> = {},
): Promise<Answer> {
  const serviceToken = textAt(properties, 'ServiceToken') ?? '';
  const asked = { StackId: stack.id, RequestId: randomUUID(), LogicalResourceId: logicalId };
  const box = answers.open(`${stack.name}|${logicalId}|${asked.RequestId}`, clock.now());
  const limitSeconds = numberAt(properties, 'ServiceTimeout') ?? DEFAULT_TIMEOUT_SECONDS;
  const giveUp = Promise.withResolvers<never>();
  const stopClock = clock.after(limitSeconds * 1000, () => {
    giveUp.reject(
      new ResourceFailure(
        `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${asked.RequestId}]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.`,
      ),
    );
  });
  // Nobody may be listening yet when it rejects.
  giveUp.promise.catch(() => undefined);
  const interrupt = (): void => {
    giveUp.reject(
      new ResourceFailure(`Resource ${requestType === 'Create' ? 'creation' : 'update'} cancelled`),
    );
  };
  interrupted.addEventListener('abort', interrupt);
  try {
    await invoke(lambda, serviceToken, {
      RequestType: requestType,
      ServiceToken: serviceToken,
      ResponseURL: box.url,
      ...asked,
      ResourceType: type,
      ResourceProperties: asStrings(properties),
      ...more,
    });
    return readAnswer(await Promise.race([box.answer, giveUp.promise]), asked);
  } finally {
    stopClock();
    interrupted.removeEventListener('abort', interrupt);
    box.close();
  }
}

async function invoke(
  lambda: CustomResourceOptions['lambda'],
  serviceToken: string,
  event: object,
): Promise<void> {
  try {
    await lambda.invokeAsync(serviceToken, event);
  } catch (error) {
    if (error instanceof LambdaServiceError) {
      throw new ResourceFailure(`${error.message} (Service: Lambda, Status Code: ${error.status})`);
    }
    throw error;
  }
}

/** Every scalar travels as text; maps and lists keep their shape. */
function asStrings(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((each) => asStrings(each));
  }
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, asStrings(each)]));
  }
  return scalarText(value) ?? value;
}
