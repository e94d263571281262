import { describe, expect, test } from 'vitest';
import { sourceFiles, withoutComments, type SourceFile } from './source-files.ts';

/** Who may import what of the project; the first rule whose folder fits counts. Patterns are beginnings of paths. */
const LAYERS: readonly { readonly of: string; readonly may: readonly string[] }[] = [
  { of: 'lambda/engine/', may: ['lambda/engine/'] },
  { of: 'lambda/authoring/', may: ['lambda/authoring/', 'lambda/engine/', 'lambda/contract.ts'] },
  { of: 'lambda/data-api/', may: ['lambda/data-api/', 'lambda/engine/', 'lambda/contract.ts'] },
  {
    of: 'lambda/gate',
    may: [
      'lambda/gate/',
      'lambda/contract.ts',
      'lambda/deploy-params.ts',
      'lambda/executions.ts',
      'lambda/http.ts',
      'lambda/log.ts',
      'lambda/refusal.ts',
    ],
  },
  // The contract names the engine's plain data; nothing of the engine runs through it but two words.
  { of: 'lambda/contract.ts', may: ['lambda/engine/'] },
  { of: 'lambda/', may: ['lambda/'] },
  // Building reads a history with the engine's own pure functions; only the worker meets authoring (decision 0002).
  { of: 'infra/bundling/', may: ['infra/', 'lambda/contract.ts', 'lambda/engine/', 'lambda/authoring/'] },
  { of: 'infra/', may: ['infra/', 'cdk.json', 'lambda/contract.ts', 'lambda/engine/'] },
  { of: 'local/', may: ['local/'] },
  // The kit is the real runner and the real bundle over the local AWS; of the functions it knows what a migration sees.
  { of: 'testing/', may: ['testing/', 'infra/bundle.ts', 'local/', 'lambda/'] },
  { of: 'cli/demo/', may: ['cli/', 'infra/', 'local/', 'lambda/'] },
  {
    of: 'cli/',
    may: ['cli/', 'infra/bundle.ts', 'local/', 'testing/', 'lambda/contract.ts', 'lambda/engine/'],
  },
  { of: 'migrations/', may: ['migrations/'] },
  { of: 'test/', may: [''] },
  { of: 'bench/', may: [''] },
];

const product = sourceFiles.filter(({ path }) => !/^(?:test|bench)\//.test(path));

describe('the architecture', () => {
  test.each(LAYERS.filter(({ of }) => !of.startsWith('test') && !of.startsWith('bench')))(
    '$of imports only what lies below it',
    ({ of, may }) => {
      const members = sourceFiles.filter(
        (file) => LAYERS.find((layer) => file.path.startsWith(layer.of))?.of === of,
      );
      const strays = members.flatMap(({ path, imports }) =>
        imports
          .filter(({ own, from }) => own && !may.some((allowed) => from.startsWith(allowed)))
          .map(({ from }) => `${path} imports ${from}`),
      );
      expect(strays).toEqual([]);
    },
  );

  test('has no import cycles', () => {
    expect(cycles(sourceFiles)).toEqual([]);
  });

  test('sees a cycle where there is one', () => {
    expect(cycles([importing('a.ts', 'b.ts'), importing('b.ts', 'c.ts'), importing('c.ts', 'a.ts')])).toEqual(
      ['a.ts → b.ts → c.ts → a.ts'],
    );
  });

  test('keeps clock, chance, process and network out of the engine', () => {
    const outside =
      /\b(?:Date|process|console|setTimeout|setInterval|fetch|crypto|globalThis|performance)\b|Math\.random|'node:/;
    const found = product
      .filter(({ path }) => path.startsWith('lambda/engine/'))
      .flatMap(({ path, text }) => linesWith(outside, path, text));
    expect(found).toEqual([]);
  });

  test('names every function of its own SQL with the schema, so that nobody can put another in its way', () => {
    const bare =
      /(?<![\w.'])(?:jsonb?_\w+|to_jsonb|pg_\w+|row_number|ntile|lead|ceil|sum|min|max|decode|format|concat_ws|parse_ident|to_regclass|set_config|starts_with|clock_timestamp|statement_timestamp|current_database|string_agg|array_agg|count|bool_or|unnest)\(/;
    const found = product
      .filter(({ path }) => /^lambda\/engine\/(?:backfill\/)?(?:postgres|open-backfill)/.test(path))
      .flatMap(({ path, text }) => linesWith(bare, path, text));
    expect(found).toEqual([]);
    const elsewhere = product
      .filter(({ path }) => path.startsWith('lambda/engine/'))
      .flatMap(({ path, text }) => linesWith(/select set_config\(/, path, text));
    expect(elsewhere).toEqual([]);
  });

  test('lets a Lambda carry nothing that it does not run', () => {
    const allowed =
      /^(?:@aws-sdk\/client-(?:rds-data|secrets-manager)|@aws\/durable-execution-sdk-js|aws4|kysely|valibot|node:(?:https?|util))$/;
    const found = product
      .filter(({ path }) => path.startsWith('lambda/'))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ own, from }) => !own && !allowed.test(from))
          .map(({ from }) => `${path} imports ${from}`),
      );
    expect(found).toEqual([]);
  });

  test.each([
    ['any', /(?::|\bas|<)\s*any\b/],
    ['a bare error', /\bnew Error\(/],
    ['a default export', /^export default\b/m],
  ])('has no %s', (_claim, pattern) => {
    // The last one writes the text of a new migration, whose author has no use for our errors.
    const exempt = /^(?:migrations\/|cli\/demo\/releases\/|cli\/commands\/new\/migration-text\.ts)/;
    // `Object.assign(new Error(…), { code })` gives a socket's error the shape that Node gives it.
    const found = product
      .filter(({ path }) => !exempt.test(path))
      .flatMap(({ path, text }) => linesWith(pattern, path, text))
      .filter((line) => !line.includes('Object.assign(new Error('));
    expect(found).toEqual([]);
  });

  test('has no file that is a drawer', () => {
    const drawers = sourceFiles.filter(({ path }) =>
      /\/(?:utils?|helpers?|common|types|constants|misc|shared)\.ts$/.test(path),
    );
    const long = product.filter(({ text }) => text.split('\n').length > 420);
    expect([...drawers, ...long].map(({ path }) => path)).toEqual([]);
  });

  test('never skips a test', () => {
    const found = sourceFiles.flatMap(({ path, text }) =>
      path.startsWith('test/architecture/')
        ? []
        : linesWith(/\b(?:it|test|describe)\.(?:skip|only|todo)\(/, path, text),
    );
    expect(found).toEqual([]);
  });

  test('mocks neither the database nor the SDK', () => {
    const found = sourceFiles.flatMap(({ path, text }) =>
      path.startsWith('test/architecture/')
        ? []
        : linesWith(/\b(?:vi|jest)\.mock\(|aws-sdk-client-mock/, path, text),
    );
    expect(found).toEqual([]);
  });
});

const importing = (path: string, from: string): SourceFile => ({
  path,
  text: '',
  imports: [{ from, own: true, typeOnly: false }],
});

function linesWith(pattern: RegExp, path: string, text: string): string[] {
  return withoutComments(text)
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) => `${path}: ${line.trim()}`);
}

/** Every cycle once, as a path; type-only imports count, because they tie files together all the same. */
function cycles(files: readonly SourceFile[]): string[] {
  const imports = new Map(
    files.map(({ path, imports }) => [path, imports.filter(({ own }) => own).map(({ from }) => from)]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path].join(' → '));
    if (start >= 0 || done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}
