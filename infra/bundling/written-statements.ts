import { SourceMap } from 'node:module';
import { type Node, parse } from 'acorn';
import { transformSync } from 'esbuild';
import { ForerunError } from '../../lambda/engine/errors.ts';
import { refuseTransactionControl } from '../../lambda/engine/statement-guard.ts';
import { fileRefused, readTextFile } from './text-file.ts';

/** The calls that take SQL; what a variable or a computed text holds is looked at when it is sent. */
const TAKES_SQL: ReadonlySet<string> = new Set(['execute', 'query']);

/**
 * Refuses transaction control that stands readably in a module, as `op.execute('commit')` or in a template without values. The
 * run refuses it too; here it costs no deploy.
 */
export function refuseWrittenTransactionControl(path: string, directory: string): void {
  const { text, shown } = readTextFile(path, directory);
  const { code, map } = transformSync(text, {
    loader: 'ts',
    target: 'esnext',
    sourcemap: 'external',
    sourcefile: path,
    tsconfigRaw: {},
  });
  const tree = parse(code, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
    locations: true,
  });
  for (const { sql, node } of statementsIn(tree)) {
    try {
      refuseTransactionControl(sql);
    } catch (cause) {
      if (!(cause instanceof ForerunError)) throw cause;
      const { line = 1, column = 0 } = node.loc?.start ?? {};
      const place = new SourceMap(JSON.parse(map)).findEntry(line - 1, column);
      const at = 'originalLine' in place ? `${shown}:${place.originalLine + 1}` : shown;
      throw fileRefused(`${at}: ${cause.text.what.replace(/\.$/, '')}`, cause.text.next);
    }
  }
}

interface WrittenStatement {
  readonly sql: string;
  readonly node: Node;
}

function* statementsIn(value: unknown): Generator<WrittenStatement> {
  if (typeof value !== 'object' || value === null) return;
  if (isCall(value)) {
    const [first] = value.arguments;
    const sql = first === undefined ? undefined : textOf(first);
    if (sql !== undefined) yield { sql, node: value };
  }
  for (const member of Object.values(value)) yield* statementsIn(member);
}

type Call = Node & { readonly arguments: readonly unknown[] };

/** A call of `op.execute` or `op.query`, where `op` may itself be a member, of `context` for example. */
function isCall(value: object): value is Call {
  if (
    !hasType(value, 'CallExpression') ||
    !('callee' in value) ||
    !hasType(value.callee, 'MemberExpression')
  ) {
    return false;
  }
  const { object, property }: { object?: unknown; property?: unknown } = value.callee;
  const owner = hasType(object, 'MemberExpression') && 'property' in object ? object.property : object;
  return nameOf(owner) === 'op' && TAKES_SQL.has(nameOf(property) ?? '');
}

function textOf(node: unknown): string | undefined {
  if (hasType(node, 'Literal') && 'value' in node) {
    return typeof node.value === 'string' ? node.value : undefined;
  }
  if (hasType(node, 'TaggedTemplateExpression') && 'tag' in node && 'quasi' in node) {
    return nameOf(node.tag) === 'sql' ? textOf(node.quasi) : undefined;
  }
  if (!hasType(node, 'TemplateLiteral') || !('quasis' in node) || !Array.isArray(node.quasis))
    return undefined;
  const quasis: readonly { readonly value: { readonly cooked?: string | null } }[] = node.quasis;
  return quasis.length === 1 ? (quasis[0]?.value.cooked ?? undefined) : undefined;
}

function nameOf(node: unknown): string | undefined {
  return hasType(node, 'Identifier') && 'name' in node ? String(node.name) : undefined;
}

function hasType(node: unknown, type: string): node is object {
  return typeof node === 'object' && node !== null && 'type' in node && node.type === type;
}
