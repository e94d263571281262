import { LocalError } from '../errors.ts';
import { isRecord } from './plain-values.ts';
import type { Template } from './template.ts';

/** Which resources each resource waits for: those it refers to and those it names in `DependsOn`. */
export type Dependencies = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads the dependencies of the resources that exist in this deploy. */
export function dependenciesOf(template: Template, exists: (logicalId: string) => boolean): Dependencies {
  return new Map(
    Object.entries(template.Resources)
      .filter(([logicalId]) => exists(logicalId))
      .map(([logicalId, { Properties, DependsOn }]) => {
        const all = [...references(Properties), ...DependsOn];
        return [
          logicalId,
          new Set(all.filter((each) => Object.hasOwn(template.Resources, each) && exists(each))),
        ];
      }),
  );
}

/**
 * An order in which each resource stands behind all it depends on. It goes in waves, as CloudFormation works in
 * parallel; inside a wave the template's own order holds, so equal templates give equal orders.
 */
export function creationOrder(dependencies: Dependencies): readonly string[] {
  const order: string[] = [];
  const done = new Set<string>();
  let left = [...dependencies.keys()];
  while (left.length > 0) {
    const wave = left.filter((each) => [...(dependencies.get(each) ?? [])].every((other) => done.has(other)));
    if (wave.length === 0) {
      throw new LocalError(
        'deploy-impossible',
        `Circular dependency between resources: [${left.toSorted().join(', ')}]`,
      );
    }
    for (const each of wave) {
      order.push(each);
      done.add(each);
    }
    left = left.filter((each) => !done.has(each));
  }
  return order;
}

function references(value: unknown): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((each) => references(each));
  }
  if (!isRecord(value)) {
    return [];
  }
  return Object.entries(value).flatMap(([key, each]) => {
    if (key === 'Ref' && typeof each === 'string') {
      return [each];
    }
    if (key === 'Fn::GetAtt') {
      const [first] = Array.isArray(each) ? each : String(each).split('.');
      return typeof first === 'string' ? [first] : [];
    }
    if (key === 'Fn::Sub') {
      const [template, variables] = Array.isArray(each) ? each : [each, {}];
      return [...namesInside(String(template)), ...references(variables)];
    }
    return references(each);
  });
}

function namesInside(template: string): readonly string[] {
  return [...template.matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => name.split('.')[0] ?? '');
}
