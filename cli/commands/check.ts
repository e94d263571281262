import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../../infra/bundle.ts';
import type { Command } from '../command.ts';

/** Reads a history exactly as a deploy would, and says what is wrong with it. */
export const check: Command = {
  name: 'check',
  summary: 'read the migrations of a folder as a deploy would',
  help: `usage: forerun check [folder] [--json]

Loads every migration of the folder (default: migrations), checks the history and
builds the bundle, without touching a database or AWS.

  --json    print the history as JSON

exit codes: 0 the history is sound · 2 it is not; the message says what to mend`,
  async run(args, output) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    });
    const outdir = mkdtempSync(join(tmpdir(), 'forerun-check-'));
    try {
      const { head, digest, migrations } = await bundle({
        directory: positionals[0] ?? 'migrations',
        outdir,
      });
      if (values.json) {
        output.out(JSON.stringify({ head, digest, migrations }));
      } else {
        for (const { id, after } of migrations) output.out(`${id}  after ${after.join(', ') || 'base'}`);
        const count = migrations.length === 1 ? '1 migration' : `${migrations.length} migrations`;
        output.out(`${count}, head ${head}`);
      }
      return 0;
    } finally {
      rmSync(outdir, { recursive: true, force: true });
    }
  },
};
