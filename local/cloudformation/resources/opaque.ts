import { textAt } from '../plain-values.ts';
import type { ResourceHandler, ResourceRequest } from '../resource-handler.ts';

/** Where an account is: what an invented ARN is made of. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/**
 * Plays a type of which nothing is known here: it has an id, believable attributes, and nothing ever happens in it.
 */
export function opaqueHandler({ account, region }: Place): ResourceHandler {
  return {
    isOpaque: true,
    async create(request) {
      await Promise.resolve();
      return { physicalId: nameOf(request), attributes: {} };
    },
    async update({ physicalId, attributes }) {
      await Promise.resolve();
      return { physicalId, attributes };
    },
    async delete() {
      await Promise.resolve();
    },
    attribute({ type, physicalId }, name) {
      if (/Arn$/i.test(name)) {
        const [, service = 'service', kind = 'resource'] = type.split('::').map((each) => each.toLowerCase());
        return type === 'AWS::Logs::LogGroup'
          ? `arn:aws:logs:${region}:${account}:log-group:${physicalId}:*`
          : `arn:aws:${service}:${region}:${account}:${kind}/${physicalId}`;
      }
      return name.endsWith('Port') ? '5432' : `${physicalId}-${name}`;
    },
  };
}

/** A name property if the template gives one (`LogGroupName`, `QueueName`), else an invented name. */
export function nameOf({ type, properties, inventedName }: ResourceRequest): string {
  const kind = type.split('::').at(-1) ?? '';
  return textAt(properties, `${kind}Name`) ?? inventedName;
}
