import { ColumnNode, RawNode, ReferenceNode, ValueNode, type OperationNode } from 'kysely';
import { ForerunError } from '../../engine/errors.ts';
import type { ValueType } from '../value-type.ts';
import type { Scope } from './scope.ts';

/**
 * Refuses a text in the `sql` template that stands bare beside a column of another type. The service binds it as `text`:
 * PostgreSQL then knows no operator for the two, or, with citext and char(n), compares in a way that nobody meant and says
 * nothing. Only what can be read for certain is refused: `column operator ${text}` with a column that a table declares.
 */
export function refuseUntypedTexts(node: RawNode, scope: Scope): void {
  let before = '';
  for (const [at, parameter] of node.parameters.entries()) {
    const fragment = node.sqlFragments[at] ?? '';
    before += fragment;
    const isBare = isText(parameter) && !/^\s*::/.test(node.sqlFragments[at + 1] ?? '');
    const type = isBare ? wantedType(node, at, fragment, scope) : undefined;
    if (type !== undefined && !takesText(type, isAssignment(before)))
      throw untyped(type, isAssignment(before));
    before += ' ? ';
  }
}

function isText(node: OperationNode): boolean {
  if (ValueNode.is(node)) return typeof node.value === 'string' || node.value instanceof Date;
  // What sql.join makes.
  if (!RawNode.is(node) || !node.sqlFragments.every((fragment) => /^[\s,]*$/.test(fragment))) return false;
  return node.parameters.some((parameter) => isText(parameter));
}

const NAME = String.raw`(?:"[^"]+"|[a-z_][\w$]*)`;
const OPERATOR = String.raw`(?:=|<>|!=|<=|>=|<|>|is\s+(?:not\s+)?distinct\s+from|between|(?:not\s+)?in\s*\()\s*$`;
const AFTER_COLUMN = new RegExp(String.raw`(?:^|[\s(,])((?:${NAME}\s*\.\s*){0,2}${NAME})\s*${OPERATOR}`, 'i');
const AFTER_REFERENCE = new RegExp(String.raw`^\s*${OPERATOR}`, 'i');

/** The type of the column that stands before the n-th parameter and its operator. */
function wantedType(node: RawNode, at: number, fragment: string, scope: Scope): ValueType | undefined {
  const reference = referenceOf(node.parameters[at - 1]);
  if (reference !== undefined && ReferenceNode.is(reference) && AFTER_REFERENCE.test(fragment)) {
    if (!ColumnNode.is(reference.column)) return undefined;
    return declaredType(scope, reference.column.column.name, reference.table?.table.identifier.name);
  }
  const [, written] = AFTER_COLUMN.exec(fragment) ?? [];
  if (written === undefined) return undefined;
  const names = [...written.matchAll(new RegExp(NAME, 'gi'))].map(([name]) => plain(name));
  return declaredType(scope, names.at(-1) ?? '', names.at(-2));
}

/** `sql.ref()` puts a reference into a template of its own. */
function referenceOf(node: OperationNode | undefined): OperationNode | undefined {
  return node !== undefined && RawNode.is(node) && node.parameters.length === 1 ? node.parameters[0] : node;
}

const plain = (name: string): string => (name.startsWith('"') ? name.slice(1, -1) : name.toLowerCase());

/** The one type that the declared tables know for the name; which of them the text is about is not read. */
function declaredType({ tables }: Scope, column: string, source: string | undefined): ValueType | undefined {
  const all = Object.values(tables);
  const named = all.filter(({ name }) => source !== undefined && name.split('.').at(-1) === source);
  const types = (named.length > 0 ? named : all).flatMap(({ types: of }) => of.get(column) ?? []);
  return new Set(types.map(({ sql }) => sql)).size === 1 ? types[0] : undefined;
}

/** Of a type that nobody here knows, a domain over text perhaps, PostgreSQL says itself what it takes. */
function takesText({ family, sql }: ValueType, assigned: boolean): boolean {
  if (family === 'other') return true;
  return (
    family === 'text' &&
    (sql === 'text' || sql === 'varchar' || (assigned && (sql === 'citext' || sql === 'bpchar')))
  );
}

function isAssignment(before: string): boolean {
  const clauses = before.match(/\b(?:set|where|on|having|when|using|select|and|or)\b/gi);
  return clauses?.at(-1)?.toLowerCase() === 'set';
}

function untyped({ of = 'a column', sql }: ValueType, assigned: boolean): ForerunError {
  return new ForerunError('value-refused', {
    what: `A text in the sql template is ${assigned ? 'given to' : 'compared with'} ${of} (${sql}), and nothing says its type, so it would be bound as text.`,
    state: 'The statement was not sent.',
    next: `Write the type behind it, \${…}::${sql}, or take the value() of the column.`,
  });
}
