import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { Client } from 'pg';
import {
  backfill,
  bigint,
  bindMigration,
  integer,
  sql,
  table,
  text,
  type MigrationDefinition,
} from '../lambda/authoring/index.ts';
import { createBuilder } from '../lambda/authoring/dialect.ts';
import { work } from '../lambda/engine/backfill/operate.ts';
import { DEFAULT_LIMITS } from '../lambda/engine/limits.ts';
import type { Database, Ports, RunNote } from '../lambda/engine/ports.ts';
import { startWorkplace } from '../test/lifecycle/workplace.ts';

/**
 * How long changing many rows takes: a backfill beside one plain UPDATE and beside loops as one would write them by hand, and
 * what an app that reads and writes single rows feels meanwhile. `npm run bench:backfill -- <rows>`.
 */
const ROWS = Number(process.argv[2] ?? 1_000_000);
/** Added to every Data API call, for all contenders alike: the way to the service and back. */
const CALL_MS = 10;
const BATCH = 1_000;

const place = await startWorkplace();
const database = await place.freshDatabase();
const direct = await database.connect();
await database.up([]);

const things = table('thing', { id: bigint(), title: text(), slug: text().nullable(), n: integer() });
type Batch = Extract<RunNote, { note: 'batch' }>;

interface Measured {
  readonly seconds: number;
  readonly calls: number;
  readonly batches: readonly Batch[];
  readonly heapMb: number;
}

async function fill(rows: number): Promise<void> {
  await direct.query('drop table if exists thing');
  await direct.query(
    'create table thing (id bigint primary key, title text not null, slug text, n int not null)',
  );
  await direct.query(
    `insert into thing select g, 'Title Number ' || g, null, g % 100 from generate_series(1, ${rows}) g`,
  );
  await direct.query('analyze thing');
  await direct.query('checkpoint');
}

/** The port with the way to the service in it. */
function distant(ports: Ports): Ports {
  const slow =
    <A extends readonly unknown[], R>(call: (...asked: A) => Promise<R>) =>
    async (...asked: A): Promise<R> => {
      await ports.clock.sleep(CALL_MS);
      return call(...asked);
    };
  const near = ports.database;
  const far: Database = {
    execute: slow(near.execute),
    calls: near.calls,
    begin: slow(async () => {
      const open = await near.begin();
      return { execute: slow(open.execute), commit: slow(open.commit), rollback: slow(open.rollback) };
    }),
  };
  return { ...ports, database: far };
}

async function measure(run: (ports: Ports) => Promise<unknown>, rows = ROWS): Promise<Measured> {
  await fill(rows);
  const batches: Batch[] = [];
  let heap = 0;
  const ports = distant(
    database.ports({
      timeMs: 3_600_000,
      tell(note) {
        if (note.note !== 'batch') return;
        batches.push(note);
        heap = Math.max(heap, process.memoryUsage().heapUsed);
      },
    }),
  );
  const began = performance.now();
  await run(ports);
  const seconds = (performance.now() - began) / 1_000;
  const left = await direct.query('select count(*)::int as n from thing where slug is null');
  if (left.rows[0]?.n !== 0) throw new NotDone();
  return { seconds, calls: ports.database.calls(), batches, heapMb: heap / 2 ** 20 };
}

/** A contender left rows behind. */
class NotDone extends Error {
  override readonly name = 'NotDone';
}

let names = 0;

/** Enqueues a backfill under a name of its own and works on it to its end. */
async function ours(definition: MigrationDefinition, ports: Ports): Promise<void> {
  names += 1;
  const id = `b${names}`;
  const history = [bindMigration(definition, { id, after: definition.after, checksum: `v1:${id}` })];
  const options = { history: 'default', migrations: history, worker: 'bench', limits: DEFAULT_LIMITS };
  await direct.query(
    `insert into forerun.backfill (history, id, checksum, state, hold, pause_ms, parallel)
     values ('default', $1, $2, 'enqueued', false, $3, $4)`,
    [id, `v1:${id}`, definition.backfill?.tuning.pauseMs, definition.backfill?.tuning.parallel],
  );
  await work([id], options, Date.now() + 3_600_000, ports);
}

const terms = {
  after: 'base',
  table: things,
  key: 'id',
  where: sql`slug is null`,
  down: 'nothing to undo',
} as const;
const setForm = (parallel: number): MigrationDefinition =>
  backfill({ ...terms, parallel, set: { slug: sql`lower(replace(title, ' ', '-'))` } });
const slugOf = (title: string): string => title.toLowerCase().replaceAll(' ', '-');
const transformForm = backfill({ ...terms, transform: ({ title }) => ({ slug: slugOf(title) }) });

const UPDATE = `update thing set slug = lower(replace(title, ' ', '-'))`;

async function loop({ database: far }: Ports): Promise<void> {
  for (let from = 0; from < ROWS; from += BATCH) {
    await far.execute(
      { sql: `${UPDATE} where id > :from and id <= :to`, parameters: { from, to: from + BATCH } },
      { rows: false },
    );
  }
}

async function kyselyLoop({ database: far }: Ports): Promise<void> {
  const db = createBuilder(far, { thing: things });
  for (let from = 0; from < ROWS; from += BATCH) {
    await db
      .updateTable('thing')
      .set({ slug: sql<string>`lower(replace(title, ' ', '-'))` })
      .where('id', '>', BigInt(from))
      .where('id', '<=', BigInt(from + BATCH))
      .execute();
  }
}

async function transformLoop({ database: far }: Ports): Promise<void> {
  const db = createBuilder(far, { thing: things });
  for (let from = 0; from < ROWS; from += BATCH) {
    const rows = await db
      .selectFrom('thing')
      .select(['id', 'title'])
      .where('id', '>', BigInt(from))
      .where('id', '<=', BigInt(from + BATCH))
      .execute();
    await far.execute(
      {
        sql: `update thing set slug = r.slug from json_to_recordset(cast(:rows as json)) as r (id bigint, slug text) where thing.id = r.id`,
        parameters: {
          rows: JSON.stringify(rows.map(({ id, title }) => ({ id: String(id), slug: slugOf(title) }))),
        },
      },
      { rows: false },
    );
  }
}

/** Point reads and updates of an app, one after the other; gives back the milliseconds of each. */
async function besideApp(app: Client, work: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  const state = { done: false };
  const working = work().finally(() => (state.done = true));
  while (!state.done) {
    const id = 1 + Math.floor(Math.random() * ROWS);
    const began = performance.now();
    await app.query('select title from thing where id = $1', [id]);
    await app.query('update thing set n = n + 1 where id = $1', [id]);
    took.push(performance.now() - began);
  }
  await working;
  return took;
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? 0;

function say(title: string, { seconds, calls, batches }: Measured, plain: number): void {
  const longest =
    batches.length === 0 ? '' : `${Math.max(...batches.map(({ milliseconds }) => milliseconds))} ms`;
  const each = batches.length === 0 ? '' : (calls / batches.length).toFixed(2);
  const cells = [
    title.padEnd(46),
    `${seconds.toFixed(1)} s`,
    `${(seconds / plain).toFixed(2)} ×`,
    String(calls),
    each,
    longest,
  ];
  process.stdout.write(`${cells.map((cell, at) => (at === 0 ? cell : cell.padStart(11))).join('')}\n`);
}

process.stdout.write(
  `${ROWS.toLocaleString('en')} rows, ${CALL_MS} ms added to each Data API call, ${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} at once\n\n` +
    `${''.padEnd(46)}${['time', 'plain = 1', 'calls', 'a batch', 'longest'].map((cell) => cell.padStart(11)).join('')}\n`,
);
const plain = await measure(() => direct.query(UPDATE));
say('one plain UPDATE through pg', plain, plain.seconds);
const alone = await measure((ports) => ours(setForm(1), ports));
say('backfill, set', alone, plain.seconds);
for (const parallel of [2, 4]) {
  say(
    `backfill, set, ${parallel} ranges at once`,
    await measure((ports) => ours(setForm(parallel), ports)),
    plain.seconds,
  );
}
say(`loop of ${BATCH} rows through the SDK`, await measure(loop), plain.seconds);
say(`loop of ${BATCH} rows with Kysely`, await measure(kyselyLoop), plain.seconds);
say('backfill, transform', await measure((ports) => ours(transformForm, ports)), plain.seconds);
say(`loop of ${BATCH} rows: read, compute, write`, await measure(transformLoop), plain.seconds);

process.stdout.write('\nan app that reads and updates single rows meanwhile      p50       p99      most\n');
const app = await database.connect();
const felt = async (title: string, run: () => Promise<unknown>): Promise<void> => {
  const took = await besideApp(app, run);
  const cells = [percentile(took, 0.5), percentile(took, 0.99), Math.max(...took)].map(
    (ms) => `${ms.toFixed(1)} ms`,
  );
  process.stdout.write(`${title.padEnd(52)}${cells.map((cell) => cell.padStart(10)).join('')}\n`);
};
await fill(ROWS);
await felt('nothing else', () => direct.query('select pg_sleep(5)'));
await fill(ROWS);
await felt('one plain UPDATE', () => direct.query(UPDATE));
await fill(ROWS);
await felt('backfill, set', () => ours(setForm(1), distant(database.ports({ timeMs: 3_600_000 }))));

const small = await measure((ports) => ours(transformForm, ports), Math.min(ROWS, 50_000));
const large = await measure((ports) => ours(transformForm, ports));
process.stdout.write(
  `\nmost heap, transform: ${small.heapMb.toFixed(0)} MB for ${Math.min(ROWS, 50_000).toLocaleString('en')} rows, ${large.heapMb.toFixed(0)} MB for ${ROWS.toLocaleString('en')}\n`,
);

mkdirSync('bench/results', { recursive: true });
writeFileSync('bench/results/backfill.svg', plotOf(alone.batches));
process.stdout.write('size and time of each batch: bench/results/backfill.svg\n');

/** Two lines over the batches: rows and milliseconds, each scaled to its own greatest value. */
function plotOf(batches: readonly Batch[]): string {
  const width = 800;
  const height = 240;
  const line = (values: readonly number[], colour: string): string => {
    const most = Math.max(1, ...values);
    const points = values.map(
      (value, at) =>
        `${((at / Math.max(1, values.length - 1)) * width).toFixed(1)},${(height - (value / most) * (height - 20)).toFixed(1)}`,
    );
    return `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.join(' ')}"/>`;
  };
  const rows = batches.map((batch) => batch.rows);
  const times = batches.map((batch) => batch.milliseconds);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 20}" font-family="sans-serif" font-size="12">
${line(rows, '#1f6feb')}${line(times, '#d1242f')}
<text x="8" y="${height + 14}" fill="#1f6feb">rows of a batch, up to ${Math.max(0, ...rows)}</text>
<text x="260" y="${height + 14}" fill="#d1242f">milliseconds of a batch, up to ${Math.max(0, ...times)}</text>
<text x="560" y="${height + 14}">${batches.length} batches</text>
</svg>
`;
}

await app.end();
await direct.end();
await place.close();
