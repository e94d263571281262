import { afterAll, beforeEach, beforeAll, expect, test } from 'vitest';
import { module } from '../deploy/stage.ts';
import { openRunnerStage, type RunnerStage } from './runner-stage.ts';

const ROWS = 900;

/** A backfill that does not hold the deploy, or one that does. */
const slug = (after: string, name: string, hold: boolean): string => `
import { backfill, bigint, sql, table, text } from 'forerun';
const note = table('${name}', { id: bigint(), slug: text().nullable() });
export default backfill({
  after: '${after}',
  hold: ${hold},
  table: note,
  key: 'id',
  where: sql\`slug is null\`,
  set: { slug: sql\`'note-' || id\` },
  batchRows: 100,
  down: 'nothing to undo',
});
`;

let runner: RunnerStage;
beforeAll(async () => {
  // Without a worker, who would take up at once what is resumed.
  runner = await openRunnerStage(
    {
      '0001_note.ts': module('base', [
        'create table note (id bigint primary key, slug text)',
        'create table held (id bigint primary key, slug text)',
      ]),
      '0002_slug.ts': slug('0001_note', 'note', false),
      '0003_held.ts': slug('0002_slug', 'held', true),
    },
    {},
    { props: { worker: false } },
  );
});
afterAll(async () => {
  await runner.close();
});

/** As after a deploy that had no time for it: rows to change, and the backfill as it is enqueued. */
beforeEach(async () => {
  const { rows } = runner.stage;
  await rows('delete from note returning id');
  await rows(`insert into note select g, null from generate_series(1, ${ROWS}) g returning id`);
  await rows('delete from forerun.backfill_range returning number');
  await rows(
    `update forerun.backfill set state = 'enqueued', key = null, total = null, most_rows = null, reason = null,
       prepared_at = null, started_at = null, finished_at = null where id = '0002_slug' returning id`,
  );
});

const done = () => runner.stage.rows(`select count(*)::int as done from note where slug = 'note-' || id`);

test('a dry run shows rows before and after, and nothing of it stays', async () => {
  const { code, out } = await runner.forerun('backfill', 'work', '0002_slug', '--dry-run');
  expect(code).toBe(0);
  expect(out).toContain(
    'One batch of 0002_slug would change 100 rows. It was rolled back: nothing of it stays.',
  );
  expect(out).toContain('before  {"id":1,"slug":null}');
  expect(out).toContain('after   {"id":1,"slug":"note-1"}');
  expect(await done()).toEqual([{ done: 0 }]);
});

test('a paused one is listed with its way out, and goes on when it is resumed; who watches sees it end', async () => {
  const why = ['--by', 'ada', '--reason', 'nightly import'];
  const paused = await runner.forerun('backfill', 'pause', '0002_slug', ...why);
  expect(paused).toMatchObject({ code: 0, err: '' });
  expect(paused.out).toContain('0002_slug is paused: nightly import.');
  expect(paused.out).toContain('pause → paused by ada (nightly import)');
  const stopped = await runner.forerun('backfill', 'watch', '0002_slug');
  expect(stopped.code).toBe(1);
  expect(stopped.out).toMatch(/^0002_slug: paused, /);
  expect(stopped.err).toContain('forerun backfill resume 0002_slug lets it go on');

  expect((await runner.forerun('backfill', 'resume', '0002_slug')).code).toBe(0);
  const tuned = await runner.forerun(
    'backfill',
    'tune',
    '0002_slug',
    '--most-rows',
    '300',
    '--pause-ms',
    '5',
  );
  expect(tuned.out).toContain('tune: at most 300 rows a batch');
  expect(tuned.out).toContain('0002_slug: at most 300 rows a batch, a pause of at least 5 ms, 1 in parallel');

  const watching = runner.begin({}, 'backfill', 'watch', '--every', '1');
  await watching.seen('0002_slug: enqueued: nobody works on it yet');
  const worked = await runner.forerun('backfill', 'work', '--every', '1');
  expect(worked).toMatchObject({ code: 0, err: '' });
  expect(worked.out).toContain(`0002_slug has succeeded: ${ROWS} rows changed.`);
  const watched = await watching.ended;
  expect(watched).toMatchObject({ code: 0, err: '' });
  expect(watched.out).toMatch(/^0002_slug: succeeded, 100 %/m);
  expect(await done()).toEqual([{ done: ROWS }]);
  const listed = await runner.forerun('backfill', 'list', '0002_slug');
  expect(listed).toMatchObject({ code: 0, err: '' });
  expect(listed.out).toMatch(/^from +batches +looked at +rows each +time each$/m);
  expect(listed.out).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +\d+ +\d+ +\d+ +\d+ ms +▇+$/m);
  expect(listed.out.split('\n').length).toBeLessThan(25);
  expect((await runner.forerun('backfill', 'watch')).out).toBe('No backfill is open.\n');
});

test('a cancelled one can be retried, and JSON lines tell what the bar would', async () => {
  const cancelled = await runner.forerun('backfill', 'cancel', '0002_slug', '--json');
  expect(JSON.parse(cancelled.out)).toMatchObject({ ok: true, backfills: [{ state: 'cancelled' }] });
  const resumed = await runner.forerun('backfill', 'resume', '0002_slug');
  expect(resumed).toMatchObject({ code: 3, out: '' });
  expect(resumed.err).toContain('0002_slug is cancelled, and "resume" leads on only from paused.');
  expect((await runner.forerun('backfill', 'retry', '0002_slug')).code).toBe(0);
  const { code, out } = await runner.forerun('backfill', 'work', '0002_slug', '--json');
  expect(code).toBe(0);
  const lines = out.trim().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
    backfills: [{ id: '0002_slug', state: 'succeeded', changed: ROWS }],
  });
});

test('one that a deploy waits for is worked on and watched until its rows are done: the next deploy records it', async () => {
  const { rows } = runner.stage;
  // As after a deploy whose time was over.
  await rows(`insert into held select g, null from generate_series(1, ${ROWS}) g returning id`);
  await rows(`update forerun.backfill set state = case id when '0003_held' then 'enqueued' else 'succeeded' end,
    prepared_at = null, total = null returning id`);
  const watching = runner.begin({}, 'backfill', 'watch', '0003_held', '--every', '1');
  await watching.seen('0003_held: enqueued: nobody works on it yet');
  const told = `0003_held: all rows are done, ${ROWS} rows changed; the next deploy records it.`;
  const worked = await runner.forerun('backfill', 'work', '0003_held', '--every', '1');
  expect(worked).toMatchObject({ code: 0, err: '' });
  expect(worked.out).toContain(told);
  const watched = await watching.ended;
  expect(watched).toMatchObject({ code: 0, err: '' });
  expect(watched.out).toContain(told);
  expect(await rows(`select state from forerun.backfill where id = '0003_held'`)).toEqual([
    { state: 'running' },
  ]);
  expect((await runner.forerun('backfill', 'work', '--every', '1')).out).toContain(told);
  const listed = await runner.forerun('backfill', 'list');
  expect(listed.out).toMatch(/^0003_held +running +100 % +900/m);
  expect(listed.out).toContain('0003_held: all rows are done; the next deploy records it');
  expect((await runner.forerun('backfill', 'watch')).out).toBe('No backfill is open.\n');
  await rows(`update forerun.backfill set state = 'succeeded' returning id`);
});

test('a key that would paint over the terminal is shown and not obeyed', async () => {
  const nasty = `SQLSTATE 22012 at note (id) = (\u001B]0;owned\u0007\u001B[2J\n0002_slug has succeeded: 900 rows changed.)`;
  await runner.stage.rows(
    `update forerun.backfill set state = 'paused', reason = e'${nasty}' where id = '0002_slug' returning id`,
  );
  const shown = String.raw`0002_slug is paused: SQLSTATE 22012 at note (id) = (\u001b]0;owned\u0007\u001b[2J\n0002_slug has`;
  const listed = await runner.forerun('backfill', 'list');
  expect(listed.out).toContain(shown);
  const watched = await runner.forerun('backfill', 'watch', '0002_slug');
  expect(watched.err).toContain(shown);
  for (const text of [listed.out, watched.out, watched.err]) {
    for (const line of text.split('\n')) expect(line).not.toMatch(/\p{Cc}/u);
    expect(text).not.toMatch(/^0002_slug has succeeded/m);
  }
});

test('what is misspelt is refused with the way out', async () => {
  const unknown = await runner.forerun('backfill', 'watch', '0009_gone');
  expect(unknown).toMatchObject({ code: 3, out: '' });
  expect(unknown.err).toContain('The journal knows no backfill "0009_gone".');
  expect(unknown.err).toContain('forerun backfill list lists them');
  const paused = await runner.forerun('backfill', 'pause', '0009_gone');
  expect(paused).toMatchObject({ code: 3, out: '' });
  expect(paused.err).toContain('forerun backfill list lists them');
  expect(await runner.forerun('backfill', 'stop')).toMatchObject({
    code: 2,
    err: 'There is no command "backfill stop". Run forerun backfill --help for the list.\n',
  });
  expect((await runner.forerun('backfill')).out).toContain('  watch    show how far one is');
});
