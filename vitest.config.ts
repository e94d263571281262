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
    // CDK's rules for CloudFormation take two seconds a synth; tests that are about them turn them on.
    env: { CDK_VALIDATION: 'false' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Some tests wait for the pauses of the real thing: with half a worker more a core, others go on meanwhile.
    maxWorkers: '150%',
    sequence: { shuffle: { tests: true } },
  },
});
