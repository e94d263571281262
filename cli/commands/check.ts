import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../../infra/bundle.ts';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';
import type { Command } from '../command.ts';

/** Reads a history exactly as a deploy would, and says what is wrong with it. */
export const check: Command = {
  name: 'check',
  summary: 'read the migrations of a folder as a deploy would',
  help: `usage: forerun check [folder] [--params <json>] [--environment <name>]
                     [--environments <names>] [--json]

Loads every migration of the folder (default: migrations), checks the history and
builds the bundle, without touching a database or AWS.

  --params       hold these parameters against the migrations that ask for some
  --environment  name of the environment; migrations limited to others are not asked
  --environments names of all environments, with commas between; a migration
                 limited to another one is refused
  --json         print the history as JSON

exit codes: 0 the history is sound · 2 it is not; the message says what to mend`,
  async run(args, output) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        params: { type: 'string' },
        environment: { type: 'string' },
        environments: { type: 'string' },
      },
    });
    const outdir = mkdtempSync(join(tmpdir(), 'forerun-check-'));
    try {
      const { head, digest, migrations, repeatables } = await bundle({
        directory: positionals[0] ?? 'migrations',
        outdir,
        ...(values.params === undefined
          ? {}
          : { given: { params: jsonOf(values.params), environment: values.environment } }),
        ...(values.environments === undefined ? {} : { environments: values.environments.split(',') }),
      });
      if (values.json) {
        output.out(JSON.stringify({ head, digest, migrations, repeatables }));
      } else {
        for (const { id, after } of migrations) output.out(`${id}  after ${after.join(', ') || 'base'}`);
        for (const { id } of repeatables) output.out(`${id}  repeatable`);
        const count = migrations.length === 1 ? '1 migration' : `${migrations.length} migrations`;
        output.out(`${count}, head ${head}`);
      }
      return 0;
    } finally {
      rmSync(outdir, { recursive: true, force: true });
    }
  },
};

function jsonOf(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw new ForerunError('input-invalid', {
      what: '--params is no JSON.',
      state: UNTOUCHED,
      next: `Write it in quotes, for example --params '{"region":"north"}'.`,
    });
  }
}
