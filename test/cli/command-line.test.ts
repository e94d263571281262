import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExecuteStatementCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finish, start } from '../child.ts';

const forerun = (...args: readonly string[]) => finish(process.execPath, ['cli/main.ts', ...args]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'forerun-cli-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function history(name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(folder, name);
  mkdirSync(directory, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
  return directory;
}

const migration = (after: string): string => `import { irreversible, migration } from 'forerun';
export default migration({ after: '${after}', async up() {}, down: irreversible('a test') });`;

describe('forerun', () => {
  test('lists its commands', async () => {
    const { code, out } = await forerun('--help');
    expect(code).toBe(0);
    expect(out).toContain('  check     read the migrations of a folder as a deploy would');
    expect(out).toContain('  local ');
  });

  test('without a command shows the list too', async () => {
    expect((await forerun()).out).toContain('usage: forerun <command>');
  });

  test.each(['check', 'local'])('%s --help tells usage, options and exit codes', async (command) => {
    const { code, out } = await forerun(command, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`usage: forerun ${command}`);
    expect(out).toContain('exit codes:');
  });

  test('refuses an unknown command and an unknown option with exit code 2', async () => {
    const command = await forerun('chek');
    expect(command).toMatchObject({
      code: 2,
      err: 'There is no command "chek". Run forerun --help for the list.\n',
    });
    const option = await forerun('check', '--jsn');
    expect(option.code).toBe(2);
    expect(option.err).toContain('--jsn');
    expect(option.err).toContain('usage: forerun check');
  });
});

describe('forerun check', () => {
  test('lists a sound history', async () => {
    const directory = history('sound', { '0001_a.ts': migration('base'), '0002_b.ts': migration('0001_a') });
    const { code, out } = await forerun('check', directory);
    expect(code).toBe(0);
    expect(out).toBe('0001_a  after base\n0002_b  after 0001_a\n2 migrations, head 0002_b\n');
  });

  test('says what runs once the app is live, and refuses a phase that there is not', async () => {
    const phased = (phase: string): string =>
      migration('0001_a').replace('after:', `phase: '${phase}', after:`);
    const files = { '0001_a.ts': migration('base'), '0002_b.ts': phased('after') };
    const { out } = await forerun('check', history('phased', files));
    expect(out).toContain('0002_b  after 0001_a, once the app is live\n');
    const { code, err } = await forerun(
      'check',
      history('later', { ...files, '0002_b.ts': phased('later') }),
    );
    expect(code).toBe(2);
    expect(err).toContain(
      `0002_b.ts: A migration is not written as one: "phase" must be 'before' or 'after'`,
    );
  });

  test('prints the history as JSON on request', async () => {
    const { out } = await forerun('check', history('json', { '0001_a.ts': migration('base') }), '--json');
    expect(JSON.parse(out)).toMatchObject({ head: '0001_a', migrations: [{ id: '0001_a', after: [] }] });
  });

  test.each([
    ['an empty folder', {}, 'holds no migration'],
    ['a missing parent', { '0001_a.ts': migration('0000_gone') }, '0000_gone'],
    ['two heads', { 'a.ts': migration('base'), 'b.ts': migration('a'), 'c.ts': migration('a') }, `after:`],
    ['a syntax error', { '0001_a.ts': 'export default migration({' }, '0001_a.ts:1'],
    ['a module that is not there', { '0001_a.ts': `import './gone.ts';\n${migration('base')}` }, './gone.ts'],
    ['no default export', { '0001_a.ts': 'export const up = 1;' }, 'default'],
    ['a module that throws', { '0001_a.ts': `throw new TypeError('not today');` }, 'not today'],
  ])('refuses %s with exit code 2, the reason and the next step', async (name, files, reason) => {
    const { code, out, err } = await forerun('check', history(name.replaceAll(' ', '-'), files));
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(reason);
    expect(err).toContain('The database was not touched.');
    expect(err).not.toContain('    at ');
  });

  test('refuses a folder that is not there', async () => {
    const { code, err } = await forerun('check', join(folder, 'nowhere'));
    expect(code).toBe(2);
    expect(err).toContain('nowhere');
  });
});

describe('forerun local', () => {
  test('serves the Data API until it is stopped, and shows calls without their values', async () => {
    const url = process.env['DATABASE_URL'];
    const child = start(process.execPath, [
      'cli/main.ts',
      'local',
      '--database',
      `cli_${process.pid}`,
      ...(url === undefined ? [] : ['--database-url', url]),
    ]);
    const said = await child.seen('Stop it with Ctrl-C.');
    const endpoint = /AWS_ENDPOINT_URL_RDS_DATA=(\S+)/.exec(said)?.[1];
    const client = new RDSDataClient({
      endpoint: String(endpoint),
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const { records } = await client.send(
      new ExecuteStatementCommand({
        resourceArn: String(/--resource-arn (\S+)/.exec(said)?.[1]),
        secretArn: String(/--secret-arn (\S+)/.exec(said)?.[1]),
        database: String(/--database (\S+)/.exec(said)?.[1]),
        sql: 'select :word as word',
        parameters: [{ name: 'word', value: { stringValue: 'sesame' } }],
      }),
    );
    client.destroy();
    expect(records).toEqual([[{ stringValue: 'sesame' }]]);
    await child.seen('ExecuteStatement');
    child.stop('SIGINT');
    const { code, out } = await child.ended;
    expect(code).toBe(0);
    expect(out).toContain('select :word as word');
    expect(out).not.toContain('sesame');
  });

  test('refuses a port that is no port', async () => {
    const { code, err } = await forerun('local', '--port', 'http');
    expect(code).toBe(2);
    expect(err).toBe('--port takes a whole number from 0 to 65535, not "http".\n');
  });
});
