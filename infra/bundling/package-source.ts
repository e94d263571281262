import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own modules run as `.ts` in the repository and as `.js` once built; the folders are the same. */
const ending = extname(import.meta.url);

/** Absolute path of one of the package's own modules, named from the root of its sources without an ending. */
export function packageModule(name: string): string {
  return fileURLToPath(new URL(`../../${name}${ending}`, import.meta.url));
}
