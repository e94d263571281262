import { NO_VALUE, resolve, resolveCondition, type Scope } from './intrinsics.ts';
import type { Made } from './resource-handler.ts';
import { ResourceFailure } from './resource-failure.ts';
import type { Template } from './template.ts';

export interface ScopeOptions {
  readonly template: Template;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly stack: { readonly id: string; readonly name: string };
  readonly account: string;
  readonly region: string;
  readonly resource: (logicalId: string) => Made | undefined;
  readonly attribute: (logicalId: string, name: string) => unknown;
  readonly importValue: (name: string) => string | undefined;
}

/** The values that are in reach of a template's functions. */
export function createScope(options: ScopeOptions): Scope {
  const { template, parameters, stack, account, region } = options;
  const pseudo = new Map<string, unknown>([
    ['AWS::AccountId', account],
    ['AWS::NoValue', NO_VALUE],
    ['AWS::NotificationARNs', []],
    ['AWS::Partition', 'aws'],
    ['AWS::Region', region],
    ['AWS::StackId', stack.id],
    ['AWS::StackName', stack.name],
    ['AWS::URLSuffix', 'amazonaws.com'],
  ]);
  const scope: Scope = {
    zones: ['a', 'b', 'c'].map((zone) => `${region}${zone}`),
    ref(name) {
      if (pseudo.has(name)) {
        return pseudo.get(name);
      }
      if (Object.hasOwn(parameters, name)) {
        return parameters[name];
      }
      const found = options.resource(name);
      if (found === undefined) {
        throw new ResourceFailure(`Template error: unresolved resource dependency [${name}]`);
      }
      return found.physicalId;
    },
    attribute: options.attribute,
    condition(name) {
      if (!Object.hasOwn(template.Conditions, name)) {
        throw new ResourceFailure(`Template error: unresolved condition dependency ${name}`);
      }
      return resolveCondition(template.Conditions[name], scope);
    },
    mapping(map, first, second) {
      const found = template.Mappings[map]?.[first]?.[second];
      if (found === undefined) {
        throw new ResourceFailure(`Template error: Unable to get mapping for ${map}::${first}::${second}`);
      }
      return found;
    },
    importValue(name) {
      const value = options.importValue(name);
      if (value === undefined) {
        throw new ResourceFailure(`No export named ${name} found.`);
      }
      return value;
    },
  };
  return scope;
}

/**
 * The parameters of a deploy: given values, else defaults. Parameters of the SSM types hold a parameter's name; the only
 * one CDK writes is the bootstrap version, which is never used in a property.
 */
export function parameterValues(
  template: Template,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(template.Parameters).map(([name, { Type, Default }]) => {
      const value = given[name] ?? Default;
      if (value === undefined) {
        throw new ResourceFailure(`Parameters: [${name}] must have values`);
      }
      const isList = Type === 'CommaDelimitedList' || Type.startsWith('List<');
      return [
        name,
        isList && typeof value === 'string' ? value.split(',').map((each) => each.trim()) : value,
      ];
    }),
  );
}

/** Resolves the properties of a resource. */
export function resolveProperties(
  properties: Readonly<Record<string, unknown>>,
  scope: Scope,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(properties)
      .map(([key, value]) => [key, resolve(value, scope)] as const)
      .filter(([, value]) => value !== NO_VALUE),
  );
}
