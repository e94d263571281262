import { type PrintedTable, quoted } from '../../../testing/frozen/print-table.ts';

/** A line longer than this is broken, as formatters do. */
const WIDTH = 80;

/**
 * Text of a new migration. It compiles and bundles as it is, but both of its ways throw, so that a file which was never
 * filled in fails the deploy (and changes nothing) instead of being recorded as applied.
 */
export function migrationText(id: string, after: string, tables: readonly PrintedTable[]): string {
  const imports = new Set(['migration', ...tables.flatMap((table) => table.imports)]);
  const entries = tables.map(({ entry }) => entry);
  const parts = [
    list('import ', [...imports].sort(), ` from 'forerun';`, ''),
    '',
    ...tables.flatMap(({ code }) => [code, '']),
    'export default migration({',
    `  after: ${quoted(after)},`,
    ...(entries.length === 0 ? [] : [list('  tables: ', entries, ',', '  ')]),
    '',
    '  async up() {',
    ...notWritten(id, 'up'),
    '  },',
    '',
    `  // Where there is no way back: down: irreversible('why').`,
    '  async down() {',
    ...notWritten(id, 'down'),
    '  },',
    '});',
  ];
  return `${parts.join('\n')}\n`;
}

function notWritten(id: string, way: string): readonly string[] {
  const text = quoted(`${id}: ${way} is not written yet`);
  const line = `    throw new Error(${text});`;
  return line.length <= WIDTH ? [line] : ['    throw new Error(', `      ${text},`, '    );'];
}

function list(head: string, items: readonly string[], tail: string, indent: string): string {
  const flat = `${head}{ ${items.join(', ')} }${tail}`;
  if (flat.length <= WIDTH) return flat;
  return `${head}{\n${items.map((item) => `${indent}  ${item},`).join('\n')}\n${indent}}${tail}`;
}
