import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../../infra/bundle.ts';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';
import { BASE } from '../../lambda/engine/migration.ts';
import { type PrintedTable, printTable } from '../../testing/frozen/print-table.ts';
import { tablesAtHead } from '../../testing/frozen/tables-at-head.ts';
import type { Command } from '../command.ts';
import { nextId } from './new/file-name.ts';
import { formatted } from './new/formatted.ts';
import { migrationText } from './new/migration-text.ts';

/** Writes a migration that only needs its two ways filled in. */
export const newMigration: Command = {
  name: 'new',
  summary: 'write the next migration of a folder',
  help: `usage: forerun new <name> [--table <table>]… [--directory <folder>]

Writes <folder>/<number>_<name>.ts behind the head of the history, numbered as the
files beside it. up and down throw until they are written, so that an unfinished
migration fails its deploy and changes nothing.

  --table <table>        write table('<table>', …) with all columns that the table has
                         at the head of the history, read from an embedded PostgreSQL
                         after applying the history to it; may be repeated; a schema
                         other than public stands before the name: app.users
  --directory <folder>   folder of the migrations (default: migrations)
  --empty                no table; this is the default

An existing file is never overwritten.

exit codes: 0 it is written · 1 the history could not be applied · 2 the name, a table or
the history is not right; the message says what to mend`,
  async run(args, output) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        table: { type: 'string', multiple: true, default: [] },
        directory: { type: 'string', default: 'migrations' },
        empty: { type: 'boolean', default: false },
      },
    });
    const [name] = positionals;
    if (name === undefined || positionals.length > 1) {
      throw misused(
        name === undefined
          ? 'The migration has no name.'
          : `"${positionals.join(' ')}" is more than one name.`,
        'Give it one: forerun new add_slug.',
      );
    }
    const wanted = [...new Set(values.table)];
    if (values.empty && wanted.length > 0)
      throw misused('--empty and --table contradict each other.', 'Leave one of them out.');
    const directory = resolve(values.directory);
    const history = await readHistoryOf(directory);
    const id = nextId(name, history.ids, new Date());
    refuseTaken(id, history.ids);
    const tables = wanted.length === 0 ? [] : await freeze(wanted, directory, history.head);
    const path = join(directory, `${id}${endingOf(directory, history.head)}`);
    const text = await formatted(migrationText(id, history.head, tables), path);
    await mkdir(directory, { recursive: true });
    await writeFile(path, text, { flag: 'wx' }).catch(refuseOverwriting(path));

    output.out(`${shown(path)} is written. It comes after ${history.head}.`);
    if (wanted.length > 0) output.out(`It knows ${wanted.join(', ')} as of ${history.head}.`);
    output.out('Next: write up and down, which throw until then, and run forerun check.');
    return 0;
  },
};

interface Head {
  readonly head: string;
  readonly ids: readonly string[];
}

/** Where the history ends; a folder that is empty or not there yet is at its base. */
async function readHistoryOf(directory: string): Promise<Head> {
  const outdir = mkdtempSync(join(tmpdir(), 'forerun-new-'));
  try {
    const { head, migrations } = await bundle({ directory, outdir });
    return { head, ids: migrations.map(({ id }) => id) };
  } catch (cause) {
    if (cause instanceof ForerunError && cause.code === 'history-empty') return { head: BASE, ids: [] };
    throw cause;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

async function freeze(
  wanted: readonly string[],
  directory: string,
  head: string,
): Promise<readonly PrintedTable[]> {
  const known = head === BASE ? new Map() : await tablesAtHead(directory);
  const missing = wanted.filter((name) => !known.has(name));
  if (missing.length > 0) {
    throw misused(
      `At ${head} there is no table ${missing.join(', ')}.`,
      known.size === 0
        ? 'Leave --table out: the history has made no table yet.'
        : `Name one of ${[...known.keys()].slice(0, 20).join(', ')}.`,
    );
  }
  const taken = new Set(['migration', 'irreversible', 'sql']);
  for (const name of wanted)
    for (const word of printTable(name, known.get(name) ?? [], taken).imports) taken.add(word);
  return wanted.map((name) => {
    const printed = printTable(name, known.get(name) ?? [], taken);
    taken.add(printed.constant);
    return printed;
  });
}

/** The new file is of the same kind as the one before it. */
function endingOf(directory: string, head: string): string {
  if (head === BASE) return '.ts';
  const file = readdirSync(directory).find(
    (name) => /\.m?[jt]s$/.test(name) && name.replace(/\.m?[jt]s$/, '') === head,
  );
  return file === undefined ? '.ts' : extname(file);
}

function refuseTaken(id: string, ids: readonly string[]): void {
  if (ids.includes(id)) throw misused(`There is a migration ${id} already.`, 'Choose another name.');
}

function refuseOverwriting(path: string): (cause: unknown) => never {
  return (cause) => {
    const there = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    if (!there) throw cause;
    throw misused(`${shown(path)} is there already.`, 'Choose another name.');
  };
}

function shown(path: string): string {
  return relative(process.cwd(), path);
}

function misused(what: string, next: string): ForerunError {
  return new ForerunError('input-invalid', { what, state: UNTOUCHED, next });
}
