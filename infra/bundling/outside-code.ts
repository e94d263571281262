import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { Plugin } from 'esbuild';
import * as v from 'valibot';
import { shownPath } from './migration-files.ts';

/** What tells this refusal from esbuild's own errors; esbuild adds the place of the import. */
export const OutsideCode = v.object({ outside: v.string() });

const Marked = v.object({ forerun: v.object({ migrations: v.literal(true) }) });

/**
 * Refuses code and settings that a migration imports from outside its folder: the app's models and config change with
 * the app, and a migration must do in a year what it does today. Packages are pinned and may be imported. So may code
 * whose nearest `package.json` says that it is kept for migrations: `"forerun": { "migrations": true }`.
 */
export function refusingOutsideCode(directory: string): Plugin {
  return {
    name: 'forerun-outside-code',
    setup(build) {
      build.onLoad({ filter: /\.(?:[cm]?[jt]s|[jt]sx|json)$/ }, ({ path }) => {
        if (isWithin(directory, path) || path.split(sep).includes('node_modules')) return null;
        if (isKeptForMigrations(dirname(path))) return null;
        const outside = shownPath(directory, path);
        return { errors: [{ text: `imports ${outside}`, detail: { outside } }] };
      });
    },
  };
}

function isWithin(directory: string, path: string): boolean {
  return relative(directory, path).split(sep)[0] !== '..';
}

function isKeptForMigrations(folder: string): boolean {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) return dirname(folder) !== folder && isKeptForMigrations(dirname(folder));
  return v.is(Marked, JSON.parse(readFileSync(manifest, 'utf8')));
}
