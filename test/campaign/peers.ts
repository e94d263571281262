import { startArena, type Arena } from './arena.ts';
import { CONTENDERS, type Contender, type PlainMigrations } from './contenders.ts';
import { PLAIN } from './histories.ts';
import { openLane, type Lane } from './lane.ts';
import { DELAY_MS, SERVICE_FAULTS, type ServiceFault } from './points.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';

/** One fault at one call of one history, driven through one tool. */
export interface PeerVerdict {
  readonly contender: string;
  readonly history: string;
  readonly fault: ServiceFault;
  readonly call: number;
  readonly ending: 'survived' | 'doubled' | 'lost' | 'stuck';
}

/** A tool that reports a failure is run again, so often at most. */
const MOST_ATTEMPTS = 6;

/** Tables that the tools keep for themselves; their rows are not compared. */
const OWN_TABLES = ['drizzle.__drizzle_migrations', 'public.migrations', 'public.typeorm_metadata'];

/** The service forgets an idle transaction after a second instead of three minutes: orphans cost all tools alike. */
const SERVICE_LIMITS = { idleLimitMs: 1_000 };

interface PeerPoint {
  readonly contender: Contender;
  readonly history: string;
  readonly migrations: PlainMigrations;
  readonly fault: ServiceFault;
  readonly call: number;
  readonly calm: Snapshot;
}

/** The same histories and the same faults for every tool. */
export async function comparePeers(lanes: number): Promise<readonly PeerVerdict[]> {
  const arena = await startArena('hard', SERVICE_LIMITS);
  const open = await Promise.all(Array.from({ length: lanes }, () => openLane(arena)));
  try {
    const points = await planPoints(arena, open[0]);
    const queue = points.values();
    const verdicts: PeerVerdict[] = [];
    const work = async (lane: Lane): Promise<void> => {
      for (const point of queue) verdicts.push(await tryPeer(point, arena, lane));
    };
    await Promise.all(open.map(work));
    return verdicts;
  } finally {
    for (const lane of open) await lane.close();
    await arena.close();
  }
}

async function planPoints(arena: Arena, lane: Lane | undefined): Promise<readonly PeerPoint[]> {
  if (lane === undefined) return [];
  const points: PeerPoint[] = [];
  for (const contender of CONTENDERS) {
    for (const [history, migrations] of Object.entries(PLAIN)) {
      await lane.prepare({ migrations: [] }, 'empty');
      const accessKeyId = lane.nextCaller();
      await attempt({ contender, migrations }, arena, lane, accessKeyId, 1);
      const calm = await takeSnapshot(lane.direct, OWN_TABLES);
      const calls = arena.dataApi.calls().filter((call) => call.accessKeyId === accessKeyId).length;
      const numbers = Array.from({ length: calls }, (_, index) => index + 1);
      points.push(
        ...SERVICE_FAULTS.flatMap((fault) =>
          numbers.map((call) => ({ contender, history, migrations, fault, call, calm })),
        ),
      );
    }
  }
  return points;
}

async function tryPeer(point: PeerPoint, arena: Arena, lane: Lane): Promise<PeerVerdict> {
  const { contender, history, fault, call, calm } = point;
  await lane.prepare({ migrations: [] }, 'empty');
  const accessKeyId = lane.nextCaller();
  const armed = arena.dataApi.faults.next({
    kind: fault,
    nth: call,
    delayMs: DELAY_MS,
    where: (asked) => asked.accessKeyId === accessKeyId,
  });
  let done = false;
  for (let number = 1; number <= MOST_ATTEMPTS && !done; number += 1) {
    done = await attempt(point, arena, lane, accessKeyId, number);
  }
  armed.cancel();
  const snapshot = await takeSnapshot(lane.direct, OWN_TABLES);
  return { contender: contender.name, history, fault, call, ending: endingOf(done, snapshot, calm) };
}

function endingOf(done: boolean, snapshot: Snapshot, calm: Snapshot): PeerVerdict['ending'] {
  if (snapshot.weight > calm.weight) return 'doubled';
  if (!done) return 'stuck';
  return snapshot.text === calm.text ? 'survived' : 'lost';
}

async function attempt(
  { contender, migrations }: Pick<PeerPoint, 'contender' | 'migrations'>,
  { dataApi }: Arena,
  { database }: Lane,
  accessKeyId: string,
  number: number,
): Promise<boolean> {
  const task = { endpoint: dataApi.url, accessKeyId, database, runId: `run-${number}`, seed: accessKeyId };
  try {
    return await contender.attempt(task, migrations);
  } catch {
    // Each tool throws what it likes; that it reports a failure is all that counts here.
    return false;
  }
}

/** Faults as rows, tools as columns: how many points did not survive, and the sums below. */
export function peerTable(verdicts: readonly PeerVerdict[]): string {
  const names = [...new Set(CONTENDERS.map(({ name }) => name))];
  const of = (name: string): readonly PeerVerdict[] => verdicts.filter(({ contender }) => contender === name);
  const count = (some: readonly PeerVerdict[], ending: PeerVerdict['ending']): number =>
    some.filter((verdict) => verdict.ending === ending).length;
  const rows = [
    ['survived of tried', ...names],
    ...SERVICE_FAULTS.map((fault) => [
      fault,
      ...names.map((name) => {
        const some = of(name).filter((verdict) => verdict.fault === fault);
        return `${count(some, 'survived')}/${some.length}`;
      }),
    ]),
    ...(['survived', 'doubled', 'lost', 'stuck'] as const).map((ending) => [
      ending,
      ...names.map((name) => String(count(of(name), ending))),
    ]),
  ];
  const widths = ['', ...names].map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => row.map((text, at) => text.padEnd(widths[at] ?? 0)).join('   ')).join('\n');
}
