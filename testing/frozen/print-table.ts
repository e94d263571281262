import type { CatalogColumn } from './read-tables.ts';
import { type Builder, spellingOf } from './spelling.ts';

/** The constant that holds a table, as source text. */
export interface PrintedTable {
  /** Name of the constant. */
  readonly constant: string;
  /** What stands in `tables: { … }` for it. */
  readonly entry: string;
  readonly code: string;
  /** What it needs from 'forerun'. */
  readonly imports: readonly string[];
}

/** A line longer than this is broken, as formatters do. */
const WIDTH = 80;

/** Prints `const articles = table('articles', { … });` with all columns of the table; `taken` names are avoided. */
export function printTable(
  name: string,
  columns: readonly CatalogColumn[],
  taken: ReadonlySet<string>,
): PrintedTable {
  const constant = constantFor(name, taken);
  const lines = columns.map((column) => printColumn(column));
  const entry = constant === name ? constant : `${isPlain(name) ? name : quoted(name)}: ${constant}`;
  const code = [`const ${constant} = table(${quoted(name)}, {`, ...lines, '});'].join('\n');
  return {
    constant,
    entry,
    code,
    imports: ['table', ...columns.map((column): Builder => spellingOf(column).builder)],
  };
}

function printColumn(column: CatalogColumn): string {
  const { builder, typeArgument, args, modifiers } = spellingOf(column);
  const key = isPlain(column.column) ? column.column : quoted(column.column);
  const head = `  ${key}: ${builder}${typeArgument === undefined ? '' : `<${typeArgument}>`}(`;
  const tail = `)${modifiers.map((modifier) => `.${modifier}()`).join('')},`;
  const flat = head + args.map((arg) => printArgument(arg)).join(', ') + tail;
  const [first, members] = args;
  if (flat.length <= WIDTH || typeof members !== 'object') return flat;
  const broken = members.map((member) => `    ${quoted(member)},`).join('\n');
  return `${head}${printArgument(first ?? '')}, [\n${broken}\n  ]${tail}`;
}

function printArgument(value: string | number | readonly string[]): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? quoted(value) : `[${value.map((one) => quoted(one)).join(', ')}]`;
}

/** A literal with the quotes that need fewer escapes. */
export function quoted(text: string): string {
  const escaped = JSON.stringify(text);
  if (text.includes("'") && !text.includes('"')) return escaped;
  return `'${escaped.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function isPlain(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

/** Words that cannot name a constant of a module. */
const RESERVED = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public return ' +
    'static super switch this throw true try typeof undefined var void while with yield'
  ).split(' '),
);

function constantFor(name: string, taken: ReadonlySet<string>): string {
  const word = name.replaceAll(/[^\w$]+/g, '_').replace(/^(?=\d)/, '_');
  const free = (candidate: string): boolean => !taken.has(candidate) && !RESERVED.has(candidate);
  if (free(word)) return word;
  let candidate = `${word}Table`;
  for (let count = 2; !free(candidate); count += 1) candidate = `${word}Table${count}`;
  return candidate;
}
