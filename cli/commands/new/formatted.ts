import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The text as the project's own Prettier would leave it; as it is where the project has none, or one that fails. */
export async function formatted(text: string, path: string): Promise<string> {
  try {
    const found = createRequire(path).resolve('prettier');
    const prettier: unknown = await import(pathToFileURL(found).href);
    if (!isPrettier(prettier)) return text;
    const options = (await prettier.resolveConfig(path, { editorconfig: true })) ?? {};
    return await prettier.format(text, { ...options, filepath: path });
  } catch {
    // A file in another style is better than none.
    return text;
  }
}

interface Prettier {
  resolveConfig(path: string, options: { readonly editorconfig: boolean }): Promise<object | null>;
  format(text: string, options: object): Promise<string>;
}

function isPrettier(found: unknown): found is Prettier {
  return typeof found === 'object' && found !== null && 'resolveConfig' in found && 'format' in found;
}
