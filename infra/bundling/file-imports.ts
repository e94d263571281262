import { relative, sep } from 'node:path';
import type { OnLoadResult, Plugin } from 'esbuild';
import { ForerunError } from '../../lambda/engine/errors.ts';
import { type CsvRows, readCsvFile } from './csv-file.ts';
import { refuseRoundedNumbers } from './json-numbers.ts';
import { readSqlFile } from './sql-file.ts';

/** Makes modules of imported `.sql` and `.csv` files, and refuses a `.json` file that JavaScript cannot hold exactly. */
export function importingFiles(directory: string): Plugin {
  return {
    name: 'forerun-files',
    setup(build) {
      build.onLoad({ filter: /\.sql$/ }, ({ path }) =>
        loaded(async () => ({
          contents: sqlModule(pathWithin(directory, path), await readSqlFile(path, directory)),
          loader: 'js',
        })),
      );
      build.onLoad({ filter: /\.csv$/ }, ({ path }) =>
        loaded(() => ({
          contents: csvModule(pathWithin(directory, path), readCsvFile(path, directory)),
          loader: 'js',
          resolveDir: directory,
        })),
      );
      build.onLoad({ filter: /\.json$/ }, ({ path }) =>
        loaded(() => {
          if (!path.split(sep).includes('node_modules')) refuseRoundedNumbers(path, directory);
          return null;
        }),
      );
    },
  };
}

/** esbuild collects failures itself; ours travels through it whole. */
async function loaded(read: () => OnLoadResult | null | Promise<OnLoadResult>): Promise<OnLoadResult | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ForerunError)) throw error;
    return { errors: [{ text: error.message, detail: error }] };
  }
}

function sqlModule(file: string, statements: unknown): string {
  return `export default Object.freeze(${literal({ file, statements })});`;
}

/** As JSON text, which a JavaScript engine reads faster than code and a bundler need not look into. */
function csvModule(file: string, { columns, rows }: CsvRows): string {
  return [
    `import { markTextRows } from 'forerun';`,
    `const columns = ${literal(columns)};`,
    'const row = (cells) => Object.fromEntries(columns.map((name, at) => [name, cells[at]]));',
    `export default Object.freeze(markTextRows(JSON.parse(${literal(JSON.stringify(rows))}).map(row), ${literal(file)}));`,
  ].join('\n');
}

const literal = (value: unknown): string => JSON.stringify(value);

/** The folder's own name may differ from machine to machine, the bundle may not. */
function pathWithin(directory: string, path: string): string {
  return relative(directory, path).split(sep).join('/');
}
