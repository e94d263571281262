import {
  AggregateFunctionNode,
  AndNode,
  BinaryOperationNode,
  CaseNode,
  FunctionNode,
  OperatorNode,
  PrimitiveValueListNode,
  TupleNode,
  ValueListNode,
  ValueNode,
  WhenNode,
  type OperationNode,
} from 'kysely';
import { arrayOf, INTEGER, isNumber, TEXT_ARRAY, type ValueType } from '../value-type.ts';
import { argumentType, passesThrough } from './call-types.ts';
import { want, type Want } from './cast-value.ts';
import { mapChildren } from './map-children.ts';
import { ARITHMETIC, COMPARISONS, CONTAINMENT, KEY_LISTS, LIST_OPERATORS, SHIFTS } from './operators.ts';
import { firstType, typeOf } from './type-of.ts';
import { asOneValue, castEach } from './value-lists.ts';
import type { Place } from './walk.ts';

/** `left operator right`: each side tells the other its type. */
export function castInOperation(node: BinaryOperationNode, place: Place): OperationNode {
  const { scope, walk } = place;
  const operator = OperatorNode.is(node.operator) ? node.operator.operator : '';
  if (TupleNode.is(node.leftOperand)) return castInTuples(node, node.leftOperand, place);
  const takesList = LIST_OPERATORS.has(operator);
  // `in ()` is no SQL: nothing is in an empty list.
  if (takesList && isEmptyList(node.rightOperand)) return ValueNode.createImmediate(operator === 'not in');
  const left = takesList ? node.leftOperand : asOneValue(node.leftOperand);
  const right = takesList ? node.rightOperand : asOneValue(node.rightOperand);
  const wants = operandWants(operator, typeOf(left, scope), typeOf(right, scope));
  if (operator.startsWith('between') && AndNode.is(right)) {
    const edges = AndNode.create(walk(right.left, scope, wants.right), walk(right.right, scope, wants.right));
    return BinaryOperationNode.create(walk(left, scope), node.operator, edges);
  }
  return BinaryOperationNode.create(
    walk(left, scope, wants.left),
    node.operator,
    walk(right, scope, wants.right),
  );
}

function isEmptyList(node: OperationNode): boolean {
  return PrimitiveValueListNode.is(node) && node.values.length === 0;
}

interface Wants {
  readonly left?: Want | undefined;
  readonly right?: Want | undefined;
}

function operandWants(operator: string, left: ValueType | undefined, right: ValueType | undefined): Wants {
  const each: Wants = { left: want(right, 'compute'), right: want(left, 'compute') };
  if (COMPARISONS.has(operator)) return each;
  if (KEY_LISTS.has(operator)) return { right: want(TEXT_ARRAY, 'compute') };
  if (SHIFTS.has(operator)) return { right: want(INTEGER, 'compute') };
  // A range contains ranges and elements alike: only arrays and jsonb say what stands on the other side.
  if (CONTAINMENT.has(operator)) return isContainer(left ?? right) ? each : {};
  // `array || element` and `array || array` both exist; an array value is always an array here.
  if (operator === '||') return isContainer(left ?? right) ? each : {};
  if (ARITHMETIC.has(operator)) return isCountable(left ?? right) ? each : {};
  return {};
}

function isContainer(type: ValueType | undefined): boolean {
  return type?.family === 'array' || type?.family === 'jsonb';
}

/** Numbers, and days: a text beside a date or a timestamp may be a date, an interval or anything else. */
function isCountable(type: ValueType | undefined): boolean {
  return type !== undefined && isNumber(type);
}

/** `(a, b) in ((1, 2), …)` and `(a, b) > (1, 2)`: element by element. */
function castInTuples(node: BinaryOperationNode, left: TupleNode, place: Place): OperationNode {
  const wants = left.values.map((value) => want(typeOf(value, place.scope), 'compute'));
  const right = ValueListNode.is(node.rightOperand)
    ? ValueListNode.create(node.rightOperand.values.map((tuple) => castEach(tuple, wants, place)))
    : castEach(node.rightOperand, wants, place);
  return BinaryOperationNode.create(place.walk(left, place.scope), node.operator, right);
}

/** `case`: the conditions want the type of its subject, the results that of the whole. */
export function castInCase(node: CaseNode, { scope, wanted, walk }: Place): OperationNode {
  const whens = node.when ?? [];
  const subject = node.value === undefined ? undefined : want(typeOf(node.value, scope), 'compute');
  const results = [...whens.map((when) => when.result), node.else];
  const result = wanted ?? want(firstType(results, scope), 'compute');
  return mapChildren(node, (child) => {
    if (WhenNode.is(child)) {
      return mapChildren(child, (part) => walk(part, scope, part === child.result ? result : subject));
    }
    return walk(child, scope, child === node.else ? result : undefined);
  });
}

/** Functions that give back one of their arguments pass the wish on; of others the types are known, or none is. */
export function castInCall(
  node: FunctionNode | AggregateFunctionNode,
  { scope, wanted, walk }: Place,
): OperationNode {
  const args = FunctionNode.is(node) ? node.arguments : node.aggregated;
  const first = firstType(args, scope);
  const wish = argumentWish(node.func.toLowerCase(), wanted, first);
  return mapChildren(node, (child) => {
    const at = args.indexOf(child);
    if (at === -1) return walk(child, scope);
    return walk(child, scope, wish ?? want(argumentType(node.func, at, first), 'compute'));
  });
}

function argumentWish(
  func: string,
  wanted: Want | undefined,
  first: ValueType | undefined,
): Want | undefined {
  if (passesThrough(func)) return want(first, 'compute') ?? wanted;
  const ofElements = func === 'any' || func === 'all';
  return ofElements && wanted !== undefined ? want(arrayOf(wanted.type), 'compute') : undefined;
}
