import type { BuildOptions } from 'esbuild';

/** What reading a migration and bundling it have in common, so that both see the same code. */
export const COMMON_OPTIONS = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // The ECMAScript builds of the SDK are half as large as its CommonJS builds.
  mainFields: ['module', 'main'],
  logLevel: 'silent',
  legalComments: 'none',
  // Paths relative to this folder are all that esbuild may know of the machine.
  metafile: true,
} as const satisfies BuildOptions;
