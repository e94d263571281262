import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InvokeFault } from '../../local/lambda/start-lambda.ts';
import { module } from '../deploy/stage.ts';
import { openRunnerStage, type RunnerStage } from './runner-stage.ts';

const FIRST = module('base', ['create table note (id bigint primary key, body text)'], {
  down: ['drop table note'],
});
const SECOND = module('0001_note', ['alter table note add column words int'], {
  down: ['alter table note drop column words'],
});

let runner: RunnerStage;
let fault: InvokeFault | undefined;
beforeAll(async () => {
  runner = await openRunnerStage(
    { '0001_note.ts': FIRST, '0002_words.ts': SECOND },
    { onInvoke: () => fault },
  );
});
afterAll(async () => {
  await runner.close();
});

const DEAD = 'http://127.0.0.1:1';

describe('a deployed runner, asked from the command line', () => {
  test('tells where the database stands, and gives its answer as it is on request', async () => {
    const { code, out, err } = await runner.forerun('status');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^head of this release +0002_words$/m);
    expect(out).toMatch(/^pending +none$/m);
    expect(out).toMatch(/^lease +free$/m);
    expect(out).toMatch(/^0001_note +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +first$/m);
    const json = await runner.forerun('status', '--json');
    expect(JSON.parse(json.out)).toMatchObject({
      ok: true,
      action: 'status',
      status: { head: '0002_words' },
    });
  });

  test('goes down only for whoever names the database, up again, and the history tells of it', async () => {
    const refused = await runner.forerun('down', '0001_note');
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain(
      'down on the database "app" has to be confirmed.\nThe database was not touched.',
    );
    expect(refused.err).toContain('run the command again with --confirm app');
    const other = await runner.forerun('down', '0001_note', '--confirm', 'production');
    expect(other.err).toContain('down was confirmed for another database than "app".');

    const down = await runner.forerun('down', '0001_note', '--confirm', 'app', '--by', 'ada');
    expect(down).toMatchObject({ code: 0, out: '0002_words  reverted\n1 migration reverted.\n' });
    const plan = await runner.forerun('plan');
    expect(plan.out).toBe('Would apply 1 migration.\ntogether:\n  0002_words\n');
    const up = await runner.forerun('up');
    expect(up).toMatchObject({ code: 0, out: '0002_words  applied\n1 migration applied.\n', err: '' });
    expect((await runner.forerun('up')).out).toBe('Nothing to do: the database stands where it shall.\n');
    const history = await runner.forerun('history', '--limit', '20');
    expect(history.out).toMatch(
      /Z +up +applied +\S+ s +\d+ +by hand \(through act\)\n  applied   0002_words$/m,
    );
    expect(history.out).toMatch(
      /Z +down +applied +\S+ s +\d+ +ada \(through act\)\n  reverted  0002_words$/m,
    );
    expect(history.out).toMatch(
      /Z +up +applied +\S+ s +\d+ +Shop, deploy first\n  applied   0001_note, 0002_words$/m,
    );
  });

  test('keeps a reason, unlocks, repairs and stamps', async () => {
    const why = ['--reason', 'a test', '--by', 'ada'];
    const unlock = await runner.forerun('unlock', ...why, '--confirm', 'app');
    expect(unlock).toMatchObject({
      code: 0,
      out: 'Nobody held the lease; there was nothing to take away.\n',
    });
    expect(await runner.forerun('repair', ...why)).toMatchObject({
      code: 0,
      out: 'The journal was right already; nothing was changed.\n',
    });
    const stamp = await runner.forerun('stamp', '0001_note', ...why, '--confirm', 'app');
    expect(stamp).toMatchObject({
      code: 0,
      out: '1 row removed: 0002_words\nNo migration ran: only the journal was changed.\n',
    });
    const history = await runner.forerun('history', '--limit', '1');
    expect(history.out).toMatch(/Z +stamp +[^]+ ada \(through act\)\n  reason    a test\n/);
    await runner.forerun('stamp', 'head', ...why, '--confirm', 'app');
  });

  test('is asked through the alias for readers where a command only tells', async () => {
    const through = `${runner.functionName()}:read`;
    expect(await runner.forerun('status', '--runner', through)).toMatchObject({ code: 0 });
    const up = await runner.forerun('up', '--runner', through);
    expect(up.code).toBe(2);
    expect(up.err).toContain('The alias "read" of the runner takes');
    const { environment } = runner.stage.rehearsal;
    const arn = `arn:aws:lambda:${environment['AWS_REGION']}:111122223333:function:${runner.functionName()}`;
    expect(await runner.forerunWith({ AWS_REGION: '' }, 'status', '--runner', `${arn}:act`)).toMatchObject({
      code: 0,
    });
  });

  test.each([
    ['an unknown migration', ['up', '0009_gone'], 3, 'There is no migration "0009_gone" in this release.'],
    ['a refused plan', ['plan', '0009_gone'], 3, '0009_gone'],
    ['no migration to go down to', ['down'], 2, 'The migration is missing.'],
    ['two migrations', ['up', 'a', 'b'], 2, 'One migration is taken, and not "a b".'],
    ['no number', ['history', '--limit', 'all'], 2, '--limit takes a whole number, not "all".'],
    ['no reason', ['repair'], 2, '"reason" is missing'],
    ['no object', ['status', '--target', '[]'], 2, '--target is no JSON object.'],
    ['an unknown option', ['status', '--rnner', 'x'], 2, 'usage: forerun status'],
    ['no runner', ['status', '--runner', ''], 2, 'Nothing says which runner to ask'],
    ['a runner that is no function', ['status', '--runner', 'https://x'], 2, 'is no name or ARN'],
  ])('%s ends with the exit code of the error and the reason', async (_case, args, code, reason) => {
    const ended = await runner.forerun(...args);
    expect(ended.err).toContain(reason);
    expect(ended.err).not.toContain('    at ');
    expect({ code: ended.code, out: ended.out }).toEqual({ code, out: '' });
  });
});

describe('a runner that cannot be asked', () => {
  test.each<[string, Readonly<Record<string, string>>, readonly string[], string]>([
    ['is not there', {}, ['--runner', 'gone'], 'There is no function gone with the alias read'],
    [
      'cannot be reached',
      { AWS_ENDPOINT_URL_LAMBDA: DEAD },
      [],
      'Lambda could not be reached (ECONNREFUSED).',
    ],
    ['has no region', { AWS_REGION: '', AWS_CONFIG_FILE: '/dev/null' }, [], 'Nothing says in which region'],
  ])('because it %s: nothing ran, and the way out is told', async (_case, env, args, what) => {
    const { code, err } = await runner.forerunWith(env, 'status', ...args);
    expect(err).toContain(what);
    expect(err).toContain('The runner was not started, and the database was not touched.');
    expect(code).toBe(1);
  });

  test.each<[InvokeFault, string, string]>([
    ['deny', 'AWS does not allow this: ', 'migrations.grantAct(…)'],
    ['throttle', 'Lambda cannot start the runner now: Rate Exceeded.', 'again in a minute'],
    ['pending', 'Lambda cannot start the runner now: ', 'again in a minute'],
  ])('because of %s: the one ask is not sent again', async (one, what, next) => {
    fault = one;
    try {
      const { code, err } = await runner.forerun('up');
      expect(err).toContain(what);
      expect(err).toContain('The runner was not started, and the database was not touched.');
      expect(err).toContain(next);
      expect(code).toBe(1);
    } finally {
      fault = undefined;
    }
  });

  test('or whose answer gets lost may have worked: that is said, and asking again does nothing twice', async () => {
    await runner.forerun('down', '0001_note', '--confirm', 'app');
    fault = 'lose-answer';
    try {
      const { code, err } = await runner.forerun('up');
      expect(err).toContain('The connection to the runner was lost before it answered (ECONNRESET).');
      expect(err).toContain('What up has committed stands; it may still be at work');
      expect(code).toBe(4);
    } finally {
      fault = undefined;
    }
    const again = await runner.forerun('up');
    expect(again).toMatchObject({ code: 0, out: 'Nothing to do: the database stands where it shall.\n' });
  });

  test('and hangs is let go with Ctrl-C, which says that the runner may go on', async () => {
    const server = createServer((socket) => void sockets.push(socket));
    const sockets: Socket[] = [];
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const child = runner.begin({ AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${port}` }, 'up');
    await once(server, 'connection');
    child.stop('SIGINT');
    const { code, err } = await child.ended;
    expect(err).toBe(
      'Stopped waiting. The runner goes on with up: it cannot be called back. Look with forerun status.\n',
    );
    expect(code).toBe(130);
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
