import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The folders that hold the project's own code. */
const CODE_FOLDERS = ['lambda', 'infra', 'local', 'testing', 'cli', 'migrations', 'test', 'bench'];

export interface SourceFile {
  /** Relative to the root of the project, with `/`. */
  readonly path: string;
  readonly text: string;
  /** What it imports: paths of the project, or names of packages; `typeOnly` imports vanish when it runs. */
  readonly imports: readonly { readonly from: string; readonly own: boolean; readonly typeOnly: boolean }[];
}

export const sourceFiles: readonly SourceFile[] = CODE_FOLDERS.flatMap((folder) => filesBelow(folder)).map(
  (path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return { path, text, imports: importsOf(path, text) };
  },
);

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => /\.[mc]?ts$/.test(path))
    .sort();
}

function importsOf(path: string, text: string): SourceFile['imports'] {
  const code = withoutComments(text);
  const statements = [
    ...code.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/gm),
  ];
  const dynamic = [...code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)];
  const found = [
    ...statements.map(([, type, from]) => ({ from: from ?? '', typeOnly: type !== undefined })),
    ...dynamic.map(([, from]) => ({ from: from ?? '', typeOnly: false })),
  ];
  return found.map(({ from, typeOnly }) =>
    from.startsWith('.')
      ? { from: normalize(join(dirname(path), from)), own: true, typeOnly }
      : { from, own: false, typeOnly },
  );
}

/** Comments go, strings stay; good enough for import statements and forbidden words. */
export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/[^\n]*/g, '$1');
}
