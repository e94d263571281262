import { isRecord, scalarText } from './plain-values.ts';
import { ResourceFailure } from './resource-failure.ts';

/** What the functions of a template can look up. */
export interface Scope {
  /** A parameter, a pseudo parameter or a resource; `NO_VALUE` for `AWS::NoValue`. */
  readonly ref: (name: string) => unknown;
  readonly attribute: (logicalId: string, name: string) => unknown;
  readonly condition: (name: string) => boolean;
  readonly mapping: (map: string, first: string, second: string) => unknown;
  readonly importValue: (exportName: string) => unknown;
  readonly zones: readonly string[];
}

/** Stands for `AWS::NoValue`: the property that holds it is left out. */
export const NO_VALUE = Symbol('AWS::NoValue');

/**
 * Replaces every intrinsic function inside a value.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) {
    return value.map((each) => resolve(each, scope)).filter((each) => each !== NO_VALUE);
  }
  if (!isRecord(value)) {
    return value;
  }
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const [name, argument] = only;
    const intrinsic = INTRINSICS[name];
    if (intrinsic !== undefined) {
      return intrinsic(argument, scope);
    }
    if (name.startsWith('Fn::')) {
      throw new ResourceFailure(`Template error: ${name} is not played on one machine`);
    }
  }
  return Object.fromEntries(
    entries
      .map(([key, each]) => [key, resolve(each, scope)] as const)
      .filter(([, each]) => each !== NO_VALUE),
  );
}

/** Evaluates the body of a condition. */
export function resolveCondition(value: unknown, scope: Scope): boolean {
  if (isRecord(value) && typeof value['Condition'] === 'string') {
    return scope.condition(value['Condition']);
  }
  return resolve(value, scope) === true;
}

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

const INTRINSICS: Readonly<Record<string, Intrinsic | undefined>> = {
  Ref: (name, scope) => scope.ref(text(name, 'Ref')),
  Condition: (name, scope) => scope.condition(text(name, 'Condition')),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId = '', ...path] = Array.isArray(argument)
      ? argument
      : text(argument, 'Fn::GetAtt').split('.');
    return scope.attribute(
      text(logicalId, 'Fn::GetAtt'),
      path.map((each) => text(resolve(each, scope), 'Fn::GetAtt')).join('.'),
    );
  },
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = list(argument, 'Fn::Join');
    return list(resolve(parts, scope), 'Fn::Join')
      .map((each) => text(each, 'Fn::Join'))
      .join(text(separator, 'Fn::Join'));
  },
  'Fn::Sub': (argument, scope) => {
    const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
    return substitute(text(template, 'Fn::Sub'), isRecord(variables) ? variables : {}, scope);
  },
  'Fn::Select': (argument, scope) => {
    const [index, from] = list(argument, 'Fn::Select');
    const found = list(resolve(from, scope), 'Fn::Select')[Number(resolve(index, scope))];
    if (found === undefined) {
      throw new ResourceFailure('Template error: Fn::Select cannot select nonexistent value');
    }
    return found;
  },
  'Fn::Split': (argument, scope) => {
    const [separator, from] = list(argument, 'Fn::Split');
    return text(resolve(from, scope), 'Fn::Split').split(text(separator, 'Fn::Split'));
  },
  'Fn::If': (argument, scope) => {
    const [condition, yes, no] = list(argument, 'Fn::If');
    return resolve(scope.condition(text(condition, 'Fn::If')) ? yes : no, scope);
  },
  'Fn::Equals': (argument, scope) => {
    const [left, right] = list(argument, 'Fn::Equals').map((each) => resolve(each, scope));
    return (scalarText(left) ?? JSON.stringify(left)) === (scalarText(right) ?? JSON.stringify(right));
  },
  'Fn::And': (argument, scope) => list(argument, 'Fn::And').every((each) => resolveCondition(each, scope)),
  'Fn::Or': (argument, scope) => list(argument, 'Fn::Or').some((each) => resolveCondition(each, scope)),
  'Fn::Not': (argument, scope) => !resolveCondition(list(argument, 'Fn::Not')[0], scope),
  'Fn::FindInMap': (argument, scope) => {
    const [map, first, second] = list(argument, 'Fn::FindInMap').map((each) =>
      text(resolve(each, scope), 'Fn::FindInMap'),
    );
    return scope.mapping(map ?? '', first ?? '', second ?? '');
  },
  'Fn::GetAZs': (_region, scope) => scope.zones,
  'Fn::ImportValue': (name, scope) => scope.importValue(text(resolve(name, scope), 'Fn::ImportValue')),
  'Fn::Base64': (value, scope) => Buffer.from(text(resolve(value, scope), 'Fn::Base64')).toString('base64'),
};

function substitute(template: string, variables: Readonly<Record<string, unknown>>, scope: Scope): string {
  return template.replaceAll(/\$\{(!?)([^}]+)\}/g, (whole, literal: string, name: string) => {
    if (literal !== '') {
      return `\${${name}}`;
    }
    if (Object.hasOwn(variables, name)) {
      return text(resolve(variables[name], scope), 'Fn::Sub');
    }
    const [logicalId = '', ...path] = name.trim().split('.');
    return text(path.length === 0 ? scope.ref(logicalId) : scope.attribute(logicalId, path.join('.')), whole);
  });
}

function text(value: unknown, where: string): string {
  const scalar = scalarText(value);
  if (scalar === undefined) {
    throw new ResourceFailure(`Template error: ${where} got something that is not a string`);
  }
  return scalar;
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new ResourceFailure(`Template error: ${where} requires a list`);
  }
  return value;
}
