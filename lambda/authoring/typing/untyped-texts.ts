import { ColumnNode, RawNode, ReferenceNode, ValueNode, type OperationNode } from 'kysely';
import { ForerunError } from '../../engine/errors.ts';
import { lexemesOf } from '../../engine/lexemes.ts';
import type { Tables } from '../table.ts';
import type { ValueType } from '../value-type.ts';
import type { Scope } from './scope.ts';

/**
 * Refuses a text in the `sql` template that stands bare beside a column of another type. The service binds it as `text`:
 * PostgreSQL then knows no operator for the two, or, with citext and char(n), compares in a way that nobody meant and says
 * nothing. Only what can be read for certain is refused: `column operator ${text}` with a column that a table declares.
 */
export function refuseUntypedTexts(
  node: RawNode,
  scope: Pick<Scope, 'tables'>,
  wording: (at: number) => Wording = () => IN_TEMPLATE,
): void {
  let before = '';
  for (const [at, parameter] of node.parameters.entries()) {
    const fragment = node.sqlFragments[at] ?? '';
    before += fragment;
    const isBare = isText(parameter) && !/^\s*::/.test(node.sqlFragments[at + 1] ?? '');
    const type = isBare ? wantedType(node, at, fragment, scope) : undefined;
    if (type !== undefined && !takesText(type, isAssignment(before)))
      throw untyped(type, isAssignment(before), wording(at));
    before += ' ? ';
  }
}

/** How a text is spoken of, and how it is written in its place. */
interface Wording {
  readonly name: string;
  readonly written: string;
  /** What there is besides a cast. */
  readonly or?: string;
}

const IN_TEMPLATE: Wording = {
  name: 'A text in the sql template',
  written: '${…}',
  or: ', or take the value() of the column',
};

/** The same for plain SQL with values by name. */
export function refuseUntypedValues(
  sql: string,
  values: Readonly<Record<string, unknown>>,
  tables: Tables,
): void {
  const fragments: string[] = [];
  const names: string[] = [];
  let done = 0;
  for (const { kind, text, start, end } of lexemesOf(sql)) {
    if (kind !== 'placeholder' || !Object.hasOwn(values, text)) continue;
    fragments.push(sql.slice(done, start));
    names.push(text);
    done = end;
  }
  fragments.push(sql.slice(done));
  const nodes = names.map((name) => ValueNode.create(values[name]));
  refuseUntypedTexts(RawNode.create(fragments, nodes), { tables }, (at) => ({
    name: `The text :${names[at] ?? ''}`,
    written: `:${names[at] ?? ''}`,
  }));
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
function wantedType(
  node: RawNode,
  at: number,
  fragment: string,
  scope: Pick<Scope, 'tables'>,
): ValueType | undefined {
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
function declaredType(
  { tables }: Pick<Scope, 'tables'>,
  column: string,
  source: string | undefined,
): ValueType | undefined {
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

function untyped(
  { of = 'a column', sql }: ValueType,
  assigned: boolean,
  { name, written, or = '' }: Wording,
): ForerunError {
  return new ForerunError('value-refused', {
    what: `${name} is ${assigned ? 'given to' : 'compared with'} ${of} (${sql}), and nothing says its type, so it would be bound as text.`,
    state: 'The statement was not sent.',
    next: `Write the type behind it, ${written}::${sql}${or}.`,
  });
}
