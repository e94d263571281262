import type { Hooks } from '../hooks.ts';
import { isRecord, textAt } from '../plain-values.ts';
import type { ResourceHandler } from '../resource-handler.ts';
import { hooked } from './hooked.ts';
import type { Place } from './opaque.ts';

/** Secrets and their attachment to a database; values are the hooks' business and are not kept here. */
export function secretHandlers(
  hooks: Hooks,
  { account, region }: Place,
): Readonly<Record<string, ResourceHandler>> {
  return {
    'AWS::SecretsManager::Secret': {
      replacedBy: ['Name'],
      async create({ properties, inventedName }) {
        const name = textAt(properties, 'Name') ?? inventedName;
        // Secrets Manager puts a dash and six characters behind the name.
        const arn = `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${inventedName.slice(-6)}`;
        await hooked(hooks.onSecret?.({ arn, name, ...valueOf(properties) }));
        return { physicalId: arn, attributes: { Id: arn } };
      },
      async update({ properties, physicalId, attributes }) {
        const name = /:secret:(.+)-[^-]{6}$/.exec(physicalId)?.[1] ?? physicalId;
        await hooked(hooks.onSecret?.({ arn: physicalId, name, ...valueOf(properties) }));
        return { physicalId, attributes };
      },
      async delete({ physicalId }) {
        await hooked(hooks.onSecretDeleted?.({ arn: physicalId }));
      },
    },
    'AWS::SecretsManager::SecretTargetAttachment': {
      replacedBy: ['SecretId', 'TargetId', 'TargetType'],
      async create({ properties }) {
        const secretArn = textAt(properties, 'SecretId') ?? '';
        const targetId = textAt(properties, 'TargetId') ?? '';
        await hooked(hooks.onSecretAttached?.({ secretArn, targetId }));
        return { physicalId: secretArn, attributes: { Id: secretArn } };
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

function valueOf(properties: Readonly<Record<string, unknown>>): {
  readonly secretString: string | undefined;
  readonly generate: Readonly<Record<string, unknown>> | undefined;
} {
  const generate = properties['GenerateSecretString'];
  return {
    secretString: textAt(properties, 'SecretString'),
    generate: isRecord(generate) ? generate : undefined,
  };
}
