import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finish, ROOT, type Ended } from '../child.ts';

interface Manifest {
  readonly devDependencies: Readonly<Record<string, string>>;
}

let folder: string;
let project: string;
let installed: Ended;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'forerun-package-'));
  project = join(folder, 'project');
  mkdirSync(join(project, 'migrations'), { recursive: true });
  const packed = await finish('npm', ['pack', '--json', '--pack-destination', folder]);
  const tarball = /"filename": "([^"]+)"/.exec(packed.out)?.[1] ?? 'missing.tgz';
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const exactly = (name: string): string => `${name}@${devDependencies[name]}`;
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'project', private: true, type: 'module' }),
  );
  const wanted = [
    join(folder, tarball),
    ...['aws-cdk-lib', 'constructs', 'typescript', '@types/node'].map(exactly),
  ];
  installed = await finish('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...wanted], {
    cwd: project,
  });
}, 240_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** As a user's machine has it: CDK checks what it writes. */
const node = (...args: readonly string[]): Promise<Ended> =>
  finish(process.execPath, args, { cwd: project, env: { CDK_VALIDATION: '' } });

describe('the package in an empty project', () => {
  test('installs', () => {
    expect(installed).toMatchObject({ code: 0 });
  });

  test('compiles with strict types, checks a history and synthesises a stack', async () => {
    writeFileSync(
      join(project, 'migrations/0001_notes.ts'),
      `import { bigint, migration, table, text } from 'forerun';
import more from './more.sql';
import rows from './rows.csv';
const notes = table('notes', { id: bigint(), body: text() });
export default migration({
  after: 'base',
  tables: { notes },
  async up({ op, db }) {
    await op.execute('create table notes (id bigint primary key, body text not null)');
    await db.insertInto('notes').values({ id: 1n, body: 'first' }).execute();
    await op.execute(more);
    await op.bulkInsert(notes, rows);
  },
  async down({ op }) {
    await op.execute('drop table notes');
  },
});
`,
    );
    writeFileSync(join(project, 'migrations/more.sql'), "insert into notes values (2, 'second');\n");
    writeFileSync(join(project, 'migrations/rows.csv'), 'id,body\n3,third\n');
    writeFileSync(
      join(project, 'app.ts'),
      `import { App, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Migrations } from 'forerun/infra';
import { startRehearsal, type Rehearsal } from 'forerun/testing';

const app = new App({ outdir: 'cdk.out' });
const stack = new Stack(app, 'Notes');
const secret = secretsmanager.Secret.fromSecretCompleteArn(
  stack,
  'Secret',
  'arn:aws:secretsmanager:eu-west-1:111122223333:secret:notes-AbCdEf',
);
const attributes = { clusterIdentifier: 'notes', dataApiEnabled: true, secret };
const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Cluster', attributes);
const migrations = new Migrations(stack, 'Migrations', { cluster, database: 'app', directory: 'migrations', deployId: 'one' });
app.synth();
const start: () => Promise<Rehearsal> = startRehearsal;
console.log(migrations.head, typeof start);
`,
    );
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2024',
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          types: ['node'],
        },
        include: ['app.ts', 'migrations'],
      }),
    );
    const compiled = await node('node_modules/typescript/bin/tsc');
    expect(compiled.out).toBe('');
    const checked = await node('node_modules/forerun/dist/cli/main.js', 'check');
    expect(checked).toMatchObject({ code: 0, out: '0001_notes  after base\n1 migration, head 0001_notes\n' });
    const synthesised = await node('app.ts');
    expect(synthesised.out).toBe('0001_notes function\n');
    const template = readFileSync(join(project, 'cdk.out/Notes.template.json'), 'utf8');
    expect(template).toContain('"Custom::ForerunMigrations"');
  }, 120_000);

  test('ships no source, test or demo of ours', async () => {
    const listed = await finish('npm', ['ls', '--all', '--json'], { cwd: project });
    expect(listed.code).toBe(0);
    const files = await finish('find', ['node_modules/forerun', '-type', 'f'], { cwd: project });
    const strays = files.out
      .trim()
      .split('\n')
      .filter(
        (file) =>
          !/^node_modules\/forerun\/(?:dist\/|docs\/|lambda\/authoring\/files\.d\.ts$|package\.json$|(?:ARCHITECTURE|CHANGELOG|CONTRIBUTING|README)\.md$|LICENSE$)/.test(
            file,
          ),
      );
    expect(strays).toEqual([]);
    expect(files.out).not.toMatch(/dist\/(?:cli|infra)\/demo\//);
  });
});
