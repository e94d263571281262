import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMigrationDefinition, type MigrationDefinition } from 'forerun';
import { ROOT } from '../child.ts';
import { startWorkplace, type Workplace } from '../lifecycle/workplace.ts';
import { catalogOf } from './catalog.ts';
import { historyOf } from './history-of.ts';

const FOLDER = join(ROOT, 'test/authoring/alembic');
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length))
  .sort();

/** What Alembic calls its entry points (its documentation, Operation Directives). */
const ENTRY_POINTS = [
  'add_column',
  'alter_column',
  'batch_alter_table',
  'bulk_insert',
  'create_check_constraint',
  'create_exclude_constraint',
  'create_foreign_key',
  'create_index',
  'create_primary_key',
  'create_table',
  'create_table_comment',
  'create_unique_constraint',
  'drop_column',
  'drop_constraint',
  'drop_index',
  'drop_table',
  'drop_table_comment',
  'execute',
  'f',
  'get_bind',
  'get_context',
  'implementation_for',
  'inline_literal',
  'invoke',
  'register_operation',
  'rename_table',
  'run_async',
];

const SCHEMA = [
  `create type mood as enum ('sad', 'happy')`,
  'create table users (id bigint primary key, name text, email text)',
  `insert into users select n, 'user ' || n, n || '@example.org' from generate_series(1, 3) n`,
  `create table articles (id bigint primary key, title text constraint articles_title check (title <> ''), author_id bigint, price numeric, draft boolean)`,
  `insert into articles select n, 'Title ' || n, 1, n from generate_series(1, 20) n`,
  'create table bookings (id bigint not null, during tsrange)',
  `comment on table bookings is 'Who comes when'`,
  'create index bookings_during on bookings (during)',
  'create table notes (body text)',
  'create table countries (code char(2) primary key, name text)',
  'create view readable as select id from articles',
];

/** Those that leave no trace which a catalog or a row would show. */
const TRACELESS = ['get_context'];

const SURROUNDINGS = {
  params: { region: 'eu' },
  readSecret: () => Promise.reject(new Error('nobody asks for a secret here')),
};

let place: Workplace;

beforeAll(async () => {
  place = await startWorkplace();
});
afterAll(async () => {
  await place.close();
});

async function definitionOf(name: string): Promise<MigrationDefinition> {
  const module = (await import(join(FOLDER, `${name}.ts`))) as Record<string, unknown>;
  const [definition, ...more] = Object.values(module).filter((value) => isMigrationDefinition(value));
  expect({ name, exports: definition === undefined ? 0 : 1 + more.length }).toEqual({ name, exports: 1 });
  return definition as MigrationDefinition;
}

const sourceOf = (name: string): string => readFileSync(join(FOLDER, `${name}.ts`), 'utf8');

describe('what is written in Alembic', () => {
  test('has a file for every entry point', () => {
    expect(names.filter((name) => !name.startsWith('cookbook_'))).toEqual(ENTRY_POINTS);
  });

  test.each(names)('goes up, down and up again: %s', async (name) => {
    const database = await place.freshDatabase();
    for (const sql of SCHEMA) await database.query(sql);
    const everything = async () => [
      await catalogOf(database),
      await database.query('select * from users u order by id'),
      await database.query('select * from articles order by id'),
      await database.query(`select sequencename from pg_sequences where schemaname = 'public'`),
      await Promise.all(
        ['notes', 'remarks', 'countries'].map((table) =>
          database.query(`select * from ${table} t order by t::text`).catch(() => 'not there'),
        ),
      ),
    ];
    const history = historyOf({ '0001_change': await definitionOf(name) }, SURROUNDINGS);
    const here = { environment: 'dev' };
    const before = await everything();
    expect((await database.up(history, here)).error).toBeNull();
    const after = await everything();
    expect(isDeepStrictEqual(after, before)).toBe(TRACELESS.includes(name));
    expect((await database.down(history, 'base', here)).error).toBeNull();
    expect(await everything()).toEqual(before);
    expect((await database.up(history, here)).error).toBeNull();
    expect(await everything()).toEqual(after);
  });
});

/** The part of a file that does what the line of Alembic does. */
function shownOf(source: string): string {
  const marked = /^\/\/ shown\n([\s\S]*?;)\n\n/m.exec(source)?.[1];
  if (marked !== undefined) return oneLine(marked);
  const options =
    /\n  after: 'base',\n((?:  (?:transaction|environments|params): .*\n)*)/.exec(source)?.[1] ?? '';
  const operations = /\n  (operations: \[[\s\S]*?\]),\n\}\);/.exec(source)?.[1];
  if (operations !== undefined) return oneLine(`${options}${operations}`);
  const own = source.slice(source.indexOf('= migration('));
  const up = /\n  up: (?:async )?\([^)]*\) =>\s*([\s\S]*?),\n  down:/.exec(own)?.[1] ?? '';
  const line = oneLine(up.replace(/^\{([\s\S]*)\}$/, '$1'));
  return options === '' ? line : oneLine(`${options} up: ${line}`);
}

const oneLine = (code: string): string =>
  code
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/,? ([)\]}])/g, (_all, close: string) => (close === '}' ? ' }' : close))
    .replaceAll(/([([]) /g, '$1')
    .replaceAll(/ \./g, '.')
    .trim();

function row(name: string): string {
  const source = sourceOf(name);
  const alembic = /^\/\/ Alembic: (.*)$/m.exec(source)?.[1] ?? '';
  return `| ${cell(alembic)} | ${cell(shownOf(source))} |`;
}

/** Code in a cell of a table. */
function cell(code: string): string {
  const fence = code.includes('`') ? '``' : '`';
  const pad = code.startsWith('`') || code.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${code.replaceAll('|', '\\|')}${pad}${fence}`;
}

const table = (rows: readonly string[]): string =>
  ['| Alembic | Forerun |', '| --- | --- |', ...rows.map((name) => row(name))].join('\n');

const PAGE = `# Coming from Alembic

<!-- Written from test/authoring/alembic by: npx vitest run test/authoring/from-alembic.test.ts -u -->

Every line on the right is taken from a migration that a test takes up, down and up again on a real PostgreSQL. \`upgrade\` and
\`downgrade\` are \`up\` and \`down\`, \`down_revision\` is \`after\`, \`alembic upgrade head\` is a deploy. A migration made of
\`operations\` has its \`down\` from them; where it says \`transaction: false\`, its statements commit one by one, so that nobody
has to wait for a busy table (see [Operations](operations-library.md)).

## The entry points of \`op\`

${table(ENTRY_POINTS)}

## Ways to move data

${table(names.filter((name) => name.startsWith('cookbook_')))}
`;

test('docs/from-alembic.md shows these files as they are', async () => {
  const options = await resolveConfig(join(ROOT, 'docs/from-alembic.md'));
  const page = await format(PAGE, { ...options, parser: 'markdown' });
  expect(page).not.toContain('| `` |');
  await expect(page).toMatchFileSnapshot('../../docs/from-alembic.md');
});
