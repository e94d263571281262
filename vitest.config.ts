import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// Every process that a test starts strips the types of the same modules; with this, only the first one does.
process.env['NODE_COMPILE_CACHE'] ??= at('./node_modules/.cache/node');

export default defineConfig({
  resolve: {
    alias: [
      { find: /^forerun$/, replacement: at('./lambda/authoring/index.ts') },
      { find: /^forerun\/infra$/, replacement: at('./infra/index.ts') },
      { find: /^forerun\/testing$/, replacement: at('./testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    typecheck: { enabled: false },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests wait for PostgreSQL and for child processes most of the time: one worker a core keeps the machine busy.
    maxWorkers: '100%',
    sequence: { shuffle: { tests: true } },
  },
});
