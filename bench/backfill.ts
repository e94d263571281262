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
import { batchPlot } from './batch-plot.ts';
import { databaseCpu } from './database-cpu.ts';

/**
 * How long changing many rows takes: a backfill beside one plain UPDATE and beside loops as one would write them by hand, and
 * what an app that reads and writes single rows feels meanwhile. `npm run bench:backfill -- <rows> <pairs> <rows for the memory>`.
 */
const ROWS = Number(process.argv[2] ?? 1_000_000);
/** Added to every Data API call, for all contenders alike: the way to the service and back. */
const CALL_MS = 10;
const BATCH = 1_000;
/** What a batch aims at when its author says nothing. */
const TARGET_MS = 500;
/** After so long a session without work counts as at rest, in milliseconds. */
const QUIET_MS = 10_500;
/** How often the pair that matters most is run, in turn. */
const PAIRS = Number(process.argv[3] ?? 3);
/** Rows of the two backfills whose memory is compared. */
const [FEW, MANY] = [50_000, Number(process.argv[4] ?? ROWS)];

const place = await startWorkplace();
const database = await place.freshDatabase();
const direct = await database.connect();
await database.up([]);
const cpu = await databaseCpu(direct);

const things = table('thing', { id: bigint(), title: text(), slug: text().nullable(), n: integer() });
type Batch = Extract<RunNote, { note: 'batch' }>;

interface Measured {
  readonly seconds: number;
  /** Processor time of the database; null where the system does not tell. */
  readonly cpu: number | null;
  readonly calls: number;
  readonly batches: readonly Batch[];
  readonly heapMb: number;
}

/**
 * By a session that is gone afterwards: one that has just worked counts as somebody else to be spared. The table is
 * vacuumed as one in use is, and left alone by autovacuum: that comes once a minute, takes a core for seconds, and would decide
 * between contenders by chance.
 */
async function fill(rows: number): Promise<void> {
  const filling = await database.connect();
  await filling.query('drop table if exists thing');
  await filling.query(
    'create table thing (id bigint primary key, title text not null, slug text, n int not null) with (autovacuum_enabled = false)',
  );
  await filling.query(
    `insert into thing select g, 'Title Number ' || g, null, g % 100 from generate_series(1, ${rows}) g`,
  );
  await filling.query('vacuum (analyze) thing');
  await filling.query('checkpoint');
  await filling.end();
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

/** Memory in use is looked at so often, in milliseconds: it is tidied up before, which takes time. */
const HEAP_EVERY_MS = 2_000;

async function measure(run: (ports: Ports) => Promise<unknown>, rows = ROWS): Promise<Measured> {
  await fill(rows);
  const batches: Batch[] = [];
  let heap = 0;
  let lookedAt = 0;
  const ports = distant(
    database.ports({
      timeMs: 3_600_000,
      tell(note) {
        if (note.note !== 'batch') return;
        batches.push(note);
        if (performance.now() - lookedAt < HEAP_EVERY_MS) return;
        lookedAt = performance.now();
        globalThis.gc?.();
        heap = Math.max(heap, process.memoryUsage().heapUsed);
      },
    }),
  );
  const cpuBefore = cpu();
  const began = performance.now();
  await run(ports);
  const seconds = (performance.now() - began) / 1_000;
  const cpuAfter = cpu();
  const counting = await database.query('select count(*)::int as n from thing where slug is null');
  if (counting[0]?.['n'] !== 0) throw new NotDone();
  return {
    seconds,
    cpu: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore,
    calls: ports.database.calls(),
    batches,
    heapMb: heap / 2 ** 20,
  };
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

const transforming = (rows: number): Promise<Measured> =>
  measure((ports) => ours(transformForm, ports), rows);

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

const times = (ours: number | null, plain: number | null): string =>
  ours === null || plain === null ? '' : `${(ours / plain).toFixed(2)} ×`;

function say(title: string, { seconds, cpu: used, calls, batches }: Measured, plain: Measured): void {
  const longest =
    batches.length === 0 ? '' : `${Math.max(...batches.map(({ milliseconds }) => milliseconds))} ms`;
  const cells = [
    title.padEnd(42),
    `${seconds.toFixed(1)} s`,
    times(seconds, plain.seconds),
    times(used, plain.cpu),
    String(calls),
    batches.length === 0 ? '' : String(batches.length),
    batches.length === 0 ? '' : (calls / batches.length).toFixed(2),
    longest,
  ];
  process.stdout.write(`${cells.map((cell, at) => (at === 0 ? cell : cell.padStart(10))).join('')}\n`);
}

const median = (values: readonly number[]): number => percentile(values, 0.5);

process.stdout.write(
  `${ROWS.toLocaleString('en')} rows, ${CALL_MS} ms added to each Data API call, ${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} at once\n\n` +
    `${''.padEnd(42)}${['time', 'plain = 1', 'its CPU', 'calls', 'batches', 'a batch', 'longest'].map((cell) => cell.padStart(10)).join('')}\n`,
);
const pairs: { readonly plain: Measured; readonly set: Measured }[] = [];
while (pairs.length < PAIRS) {
  const plain = await measure(() => direct.query(UPDATE));
  say('one plain UPDATE through pg', plain, plain);
  // The session of the plain UPDATE shall count as one at rest.
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const set = await measure((ports) => ours(setForm(1), ports));
  say('backfill, set', set, plain);
  pairs.push({ plain, set });
}
const [first] = pairs;
if (first === undefined) throw new NotDone();
const { plain, set: alone } = first;
process.stdout.write(
  `${`median of ${PAIRS} pairs`.padEnd(52)}${`${median(pairs.map((pair) => pair.set.seconds / pair.plain.seconds)).toFixed(2)} ×`.padStart(10)}\n`,
);
mkdirSync('bench/results', { recursive: true });
writeFileSync(
  'bench/results/backfill.svg',
  batchPlot(
    `Batches of a backfill of ${ROWS.toLocaleString('en')} rows, form set, one range`,
    alone.batches,
    TARGET_MS,
  ),
);

for (const parallel of [2, 4]) {
  say(
    `backfill, set, ${parallel} ranges at once`,
    await measure((ports) => ours(setForm(parallel), ports)),
    plain,
  );
}
say(`loop of ${BATCH} rows through the SDK`, await measure(loop), plain);
say(`loop of ${BATCH} rows with Kysely`, await measure(kyselyLoop), plain);
const transformed = await transforming(ROWS);
say('backfill, transform', transformed, plain);
say(`loop of ${BATCH} rows: read, compute, write`, await measure(transformLoop), plain);

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

const few = await transforming(FEW);
const many = MANY === ROWS ? transformed : await transforming(MANY);
const heap = ({ heapMb }: Measured, rows: number): string =>
  `${heapMb.toFixed(0)} MB for ${rows.toLocaleString('en')} rows`;
process.stdout.write(`\nmost heap, transform: ${heap(few, FEW)}, ${heap(many, MANY)}\n`);
process.stdout.write('size and time of each batch of the first backfill: bench/results/backfill.svg\n');
await app.end();
await direct.end();
await place.close();
