import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** Read once: a test may point the temporary folder elsewhere to see what is left in it. */
const ROOT = tmpdir();

/** Files by path within a folder. */
export type Files = Readonly<Record<string, string>>;

/** The same where a file may be no text. */
type AnyFiles = Readonly<Record<string, string | Uint8Array>>;

/** A folder with these files, in a new place; the caller removes what it made. */
export function makeFolder(files: AnyFiles = {}, name = 'migrations'): { path: string; remove: () => void } {
  const root = realpathSync(mkdtempSync(join(ROOT, 'forerun-test-')));
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return {
    path,
    remove: () => {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The same for one test, which removes it when it is over. */
export function folderOf(files: AnyFiles = {}): string {
  const { path, remove } = makeFolder(files);
  onTestFinished(remove);
  return path;
}

const lasting = new Map<string, string>();
const removals: (() => void)[] = [];
afterAll(() => {
  for (const remove of removals) remove();
});

/** A folder with these files, the same one for all tests of a file, which leave it as it is: it is bundled only once. */
export function sameFolderOf(files: AnyFiles): string {
  const key = JSON.stringify(files);
  const known = lasting.get(key);
  if (known !== undefined) return known;
  const { path, remove } = makeFolder(files);
  // Of a file that was written a moment ago the bundling does not know whether it has it, and would read it again.
  for (const file of Object.keys(files)) utimesSync(join(path, file), 1, 1);
  lasting.set(key, path);
  removals.push(remove);
  return path;
}

/** The text of a migration that needs no table. */
export function migrationText(after: string, statement = 'select 1'): string {
  return `import { migration } from 'forerun';

export default migration({
  after: ${JSON.stringify(after)},
  async up({ op }) {
    await op.execute(${JSON.stringify(statement)});
  },
  async down() {},
});
`;
}
