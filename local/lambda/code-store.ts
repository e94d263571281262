import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { FunctionCode } from './function-settings.ts';

/** Lambda's own copies of code: what was deployed stays as it was, whatever happens to the asset afterwards. */
export interface CodeStore {
  /** Equal code gives an equal hash and the same directory. */
  put(code: FunctionCode): Promise<StoredCode>;
  /** Removes every copy. */
  close(): Promise<void>;
}

export interface StoredCode {
  readonly directory: string;
  /** Of all names and contents. */
  readonly sha256: string;
}

/** Makes an empty store in the system's directory for temporary files. */
export async function createCodeStore(): Promise<CodeStore> {
  const root = await mkdtemp(join(tmpdir(), 'forerun-lambda-'));
  const stored = new Map<string, Promise<StoredCode>>();
  const copy = async (code: FunctionCode, sha256: string): Promise<StoredCode> => {
    const directory = join(root, sha256.slice(0, 16));
    if ('directory' in code) {
      await cp(code.directory, directory, { recursive: true, dereference: true });
    } else {
      await mkdir(directory);
      await writeFile(join(directory, 'index.js'), code.inline);
    }
    return { directory, sha256 };
  };
  return {
    async put(code) {
      const sha256 = await fingerprint(code);
      const known = stored.get(sha256) ?? copy(code, sha256);
      stored.set(sha256, known);
      return await known;
    },
    async close() {
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function fingerprint(code: FunctionCode): Promise<string> {
  const hash = createHash('sha256');
  if ('inline' in code) {
    return hash.update(`inline\0${code.inline}`).digest('hex');
  }
  const entries = await readdir(code.directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((each) => !each.isDirectory()).map((each) => join(each.parentPath, each.name));
  for (const file of files.sort()) {
    const content = await readFile(file);
    hash.update(`${file.slice(code.directory.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
