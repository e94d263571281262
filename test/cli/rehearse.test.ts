import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { finish, ROOT, start, type Ended } from '../child.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'forerun-test-'));
  mkdirSync(join(folder, 'tmp'));
  // PostgreSQL does not run as root: it must get in as somebody else.
  for (const each of [folder, join(folder, 'tmp')]) chmodSync(each, 0o755);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The apps are synthesised with the Node that runs the tests; what is left behind can be seen in a folder of their own. */
const around = () => ({
  PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter),
  TMPDIR: join(folder, 'tmp'),
});

const rehearse = (cwd: string, ...args: readonly string[]): Promise<Ended> =>
  finish(process.execPath, [join(ROOT, 'cli/main.ts'), 'rehearse', ...args], { cwd, env: around() });

const app = (name: string): string => join(ROOT, 'test/apps', name);

const leftovers = (): readonly string[] =>
  readdirSync(join(folder, 'tmp')).filter((name) => name.startsWith('forerun-rehearse-'));

describe('forerun rehearse on an app', () => {
  test('of several stacks plays those that the migrations need, and passes over what it does not know', async () => {
    const { code, out, err } = await rehearse(app('several-stacks'));
    expect({ code, err }).toEqual({ code: 0, err: 'Synthesising the app …\nStarting a database …\n' });
    expect(out).toContain('Data CREATE_IN_PROGRESS');
    expect(out).toContain('· 0002_fill_bodies                   1 statement');
    expect(out).toContain('App/Aliaslive        moves to the new version: the app is live');
    expect(out).toContain('Shop/Migrations: 2 migrations applied, up to 0002_fill_bodies');
    expect(out).toMatch(/The code of Report\w+ \(python3\.13\) in Shop is not run here/);
    expect(out).toContain('Custom::AWS');
    expect(out).toContain('The deploy would go through.');
    expect(out).not.toContain('Website');
    expect(out.indexOf('the database is ready')).toBeLessThan(out.indexOf('the app is live'));
  });

  test('with a nested stack makes a resource in it fail, and tells that the stack would come home', async () => {
    const { code, out } = await rehearse(app('nested-stack'), '--fail', 'Shop/Backend/App/Aliaslive');
    expect(code).toBe(1);
    expect(out).toContain('committed together');
    expect(out).toContain('CREATE_FAILED: made to fail by --fail Shop/Backend/App/Aliaslive');
    expect(out).toContain('Stack Shop: ROLLBACK_COMPLETE');
    expect(out).toContain('The deploy would fail, and the stack would come home.');
  });

  test('with an imported cluster, secret and role lets an empty database stand in, and says so', async () => {
    const { code, out } = await rehearse(app('imported-cluster'), '--params', '{"Title":"News"}');
    expect(code).toBe(0);
    expect(out).toContain('No stack here exports platform-cluster.');
    expect(out).toContain('cluster:imported-platform-cluster with its');
    expect(out).toContain('What arn:aws:iam::210987654321:role/platform-runner may do is not known here');
    expect(out).toContain('Shop/Migrations: 2 migrations applied');
  });

  test('of a template that CloudFormation would refuse says so, and how to mend it', async () => {
    const { code, err } = await rehearse(app('imported-cluster'));
    expect(err).toContain('CloudFormation would refuse this deploy: Parameters: [Title] must have values');
    expect(err).toContain('Give template parameters their values with --params.');
    expect(code).toBe(1);
  });

  test('with an ECS service holds the service, and no function of a template crashes it', async () => {
    const { code, out } = await rehearse(app('ecs-service'));
    expect(code).toBe(0);
    expect(out).toMatch(/the database is ready[^]+Web\/Service +is live/);
    expect(out).toContain('The properties of Six (AWS::EC2::Subnet) in Shop are not all known here.');
  });

  test('with a pipeline plays the stages, each in its own account, and goes no further than a failure', async () => {
    const { code, out } = await rehearse(app('pipeline-stage'), '--fail', 'App/Aliaslive', '--json');
    expect(code).toBe(1);
    const told = out
      .trim()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { type: string; title?: string; verdict?: string; exitCode?: number },
      );
    expect(told.filter(({ type }) => type === 'deploy').map(({ title }) => title)).toEqual([
      'Beta/App as it is now, in account 210987654321, eu-west-1',
    ]);
    expect(told.at(-1)).toMatchObject({ type: 'verdict', verdict: 'comes home', exitCode: 1 });
  });
});

/** Two rehearsals in one. */
const TWO_PLACES = { timeout: 120_000 };

test(
  'forerun rehearse of two accounts plays one after the other, each with all it needs, and names them',
  TWO_PLACES,
  async () => {
    const { code, out } = await rehearse(app('pipeline-stage'));
    const lines = [
      ...['210987654321', '111100001111'].flatMap((account, index) => {
        const stage = index === 0 ? 'Beta' : 'Prod';
        return [
          `${stage}/App as it is now, in account ${account}, eu-west-1`,
          `${stage}-Data CREATE_IN_PROGRESS`,
          `${stage}-App CREATE_IN_PROGRESS`,
          '· 0002_fill_bodies',
        ];
      }),
      'Stack Beta-App in account 210987654321, eu-west-1: CREATE_COMPLETE',
      'Stack Prod-App in account 111100001111, eu-west-1: CREATE_COMPLETE',
    ];
    let from = 0;
    for (const line of lines) {
      const at = out.indexOf(line, from);
      expect(at, `${line} in\n${out}`).toBeGreaterThan(-1);
      from = at + line.length;
    }
    expect(code).toBe(0);
  },
);

test('forerun rehearse leaves nothing behind when it is stopped, however often', async () => {
  const command = [join(ROOT, 'cli/main.ts'), 'rehearse', '--app', 'node waits.mjs'];
  writeFileSync(
    join(folder, 'waits.mjs'),
    `import { writeFileSync } from 'node:fs';
process.once('SIGTERM', () => {
  writeFileSync('ended', '');
  process.exit();
});
writeFileSync('waiting', '');
setInterval(() => undefined, 1000);`,
  );
  const child = start(process.execPath, command, { cwd: folder, env: around() });
  await vi.waitUntil(() => existsSync(join(folder, 'waiting')), { timeout: 30_000 });
  child.stop('SIGINT');
  child.stop('SIGINT');
  expect((await child.ended).code).toBe(130);
  expect(leftovers()).toEqual([]);
  expect(existsSync(join(folder, 'ended'))).toBe(true);
});

describe('forerun rehearse --from', () => {
  let repository: string;
  let source: string;
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], {
      cwd: repository,
      encoding: 'utf8',
    });

  beforeAll(() => {
    repository = join(folder, 'repository');
    source = join(repository, 'packages/shop');
    mkdirSync(source, { recursive: true });
    git('init', '--quiet');
    symlinkSync(join(ROOT, 'node_modules'), join(repository, 'node_modules'));
    writeFileSync(join(repository, '.gitignore'), 'node_modules\n');
    writeFileSync(join(source, 'package.json'), '{ "type": "module" }\n');
    cpSync(join(app('..'), 'apps/migrations'), join(source, 'migrations'), { recursive: true });
    const parts = readFileSync(join(ROOT, 'test/apps/parts.ts'), 'utf8');
    writeFileSync(join(source, 'parts.ts'), parts);
    writeFileSync(join(source, 'cdk.json'), '{ "app": "node app.ts", "context": { "release": "one" } }\n');
    writeFileSync(join(source, 'app.ts'), APP);
    git('add', '.');
    git('commit', '--quiet', '--message', 'one');
    git('tag', 'v1');
    // What is worked on: not committed.
    writeFileSync(join(source, 'cdk.json'), '{ "app": "node app.ts", "context": { "release": "two" } }\n');
    writeFileSync(join(source, 'migrations/0003_require_bodies.ts'), THIRD);
  });

  test('plays the update of a release, and tells how far a rollback leaves the database ahead', async () => {
    const { code, out } = await rehearse(source, '--from', 'v1', '--fail', 'AppAliaslive');
    expect(code).toBe(1);
    expect(out).toMatch(/Deploy 1: Shop as of v1 \([0-9a-f]{7}\)/);
    expect(out).toContain('Deploy 2: Shop as it is now');
    expect(out).toContain('· 0003_require_bodies');
    expect(out).toContain('UPDATE_FAILED: made to fail by --fail AppAliaslive');
    expect(out.replaceAll(/\s+/g, ' ')).toContain('the old release works with it: unknown');
    expect(out).toContain('Stack Shop: UPDATE_ROLLBACK_COMPLETE');
    expect(out).toContain('3 migrations applied, up to 0003_require_bodies; ahead of the');
    const page = readFileSync(join(ROOT, 'docs/rehearse.md'), 'utf8');
    expect(fromFailureOn(/```text\n([^]*?)```/.exec(page)?.[1] ?? '')).toBe(fromFailureOn(out));
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
    expect(git('status', '--short').trim().split('\n')).toHaveLength(2);
    expect(leftovers()).toEqual([]);
  });

  test('exits with 3 where the stack would be stuck', async () => {
    const args = ['--from', 'v1', '--fail', 'AppAliaslive', '--context', 'onRollback=fail'];
    const { code, out } = await rehearse(source, ...args);
    expect(out).toContain('Stack Shop: UPDATE_ROLLBACK_FAILED');
    expect(out).toContain('The deploy would fail, and the stack would be stuck.');
    expect(code).toBe(3);
  });

  test('says that nothing failed where the resource is not touched', async () => {
    const { code, out } = await rehearse(source, '--from', 'v1', '--fail', 'Shop/Database');
    expect(out).toContain('this deploy does not touch Shop/Database');
    expect(code).toBe(2);
  });

  test('refuses what git does not know', async () => {
    const { code, err } = await rehearse(source, '--from', 'v9');
    expect(code).toBe(2);
    expect(err).toContain('git knows no commit v9.');
  });
});

/** Times differ from run to run. */
const fromFailureOn = (text: string): string =>
  text
    .slice(text.indexOf('UPDATE_FAILED:'))
    .replaceAll(/\d+\.\d s/g, 'T')
    .replaceAll(/\s+/g, ' ')
    .trim();

const APP = `import { App, Stack } from 'aws-cdk-lib';
import { Migrations } from '${pathToFileURL(join(ROOT, 'infra/index.ts')).href}';
import { database, liveAlias } from './parts.ts';
const app = new App();
const stack = new Stack(app, 'Shop');
const onRollback = app.node.tryGetContext('onRollback');
const migrations = new Migrations(stack, 'Migrations', { cluster: database(stack), directory: 'migrations', onRollback });
migrations.runBefore(liveAlias(stack, app.node.tryGetContext('release')));
`;

const THIRD = `import { irreversible, migration } from 'forerun';
export default migration({
  after: '0002_fill_bodies',
  up: ({ op }) => op.execute('alter table notes alter column body set not null'),
  down: irreversible('a test'),
});
`;

describe('forerun rehearse says what is wrong and exits with 2', () => {
  let assembly: string;
  beforeAll(() => {
    assembly = join(folder, 'assembly');
    mkdirSync(assembly);
    mkdirSync(join(folder, 'empty'));
    const Resources = {
      Queue: { Type: 'AWS::SQS::Queue', Metadata: { 'aws:cdk:path': 'Shop/Queue/Resource' } },
    };
    writeFileSync(join(assembly, 'Shop.template.json'), JSON.stringify({ Resources }));
    const Shop = { type: 'aws:cloudformation:stack', properties: { templateFile: 'Shop.template.json' } };
    writeFileSync(join(assembly, 'manifest.json'), JSON.stringify({ artifacts: { Shop } }));
    writeFileSync(join(folder, 'broken.mjs'), `console.error('no such table'); process.exit(7);`);
  });

  test.each([
    ['without an app', [], 'Nothing says how to synthesise the app'],
    ['of an app that fails', ['--app', 'node broken.mjs'], 'ended with exit code 7.\nno such table'],
    ['of an app that writes nothing', ['--app', 'node --version'], 'wrote no cloud assembly'],
    ['of a folder without assembly', ['--assembly', 'nowhere'], 'There is no cloud assembly in'],
    ['without migrations', ['--assembly', 'assembly'], 'No stack of this app holds a construct Migrations.'],
    ['of an unknown stack', ['--assembly', 'assembly', '--stack', 'Shoq'], 'There is no stack Shoq.'],
    [
      'of an unknown resource',
      ['--assembly', 'assembly', '--stack', 'Shop', '--fail', 'Tpoic'],
      '--fail Tpoic names no resource of the app.\nThe database was not touched.\nGive a logical id or the path of a construct, such as Shop/Queue.',
    ],
    ['of a folder that is no assembly', ['--app', 'empty'], 'There is no cloud assembly in'],
    ['--params', ['--params', '[1]'], '--params is no JSON object.'],
    ['--context', ['--context', 'release'], '--context release is no key=value.'],
    ['an unknown option', ['--form', 'v1'], 'usage: forerun rehearse'],
  ])('%s', async (_case, args, message) => {
    const { code, out, err } = await rehearse(folder, ...args);
    expect(err).toContain(message);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });
});
