import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Short files that take long, and would come last by their size where no run before has told: nobody would work beside them. */
const LONG =
  /test\/(campaign\/|authoring\/recipes-interrupted|infra\/bundling\/file-imports|deploy\/missing-grant|lifecycle\/backfill-killed)/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [
      ...sorted.filter(({ moduleId }) => LONG.test(moduleId)),
      ...sorted.filter(({ moduleId }) => !LONG.test(moduleId)),
    ];
  }
}

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
    globalSetup: './test/temporary-folder.ts',
    // CDK's rules for CloudFormation take two seconds a synth; tests that are about them turn them on.
    env: { CDK_VALIDATION: 'false' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Some tests wait for the pauses of the real thing: with two workers a core, others go on meanwhile.
    maxWorkers: '200%',
    sequence: { shuffle: { tests: true }, sequencer: LongFirst },
  },
});
