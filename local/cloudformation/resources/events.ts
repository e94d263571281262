import { textAt } from '../plain-values.ts';
import type { ResourceHandler } from '../resource-handler.ts';
import type { Place } from './opaque.ts';

/** Event buses: an ARN is all there is to one, because no rule is played. */
export function eventHandlers({ account, region }: Place): Readonly<Record<string, ResourceHandler>> {
  return {
    'AWS::Events::EventBus': {
      replacedBy: ['Name'],
      async create({ properties, inventedName }) {
        await Promise.resolve();
        const name = textAt(properties, 'Name') ?? inventedName;
        const arn = `arn:aws:events:${region}:${account}:event-bus/${name}`;
        return { physicalId: name, attributes: { Arn: arn, Name: name } };
      },
      async update({ physicalId, attributes }) {
        await Promise.resolve();
        return { physicalId, attributes };
      },
      async delete() {
        await Promise.resolve();
      },
    },
  };
}
