import { startArena, type Answers, type Arena } from './arena.ts';
import { chanceOf, sampleOf } from './chance.ts';
import { runEngine } from './engine-run.ts';
import { HISTORIES, STATEMENT_LIMIT_MS, type CampaignHistory, type Start } from './histories.ts';
import { CALM_IDLE_MS, openLane, type Lane } from './lane.ts';
import { nameOf, pairPoints, singlePoints, type Point } from './points.ts';
import { takeSnapshot } from './snapshot.ts';
import { tryPoint, type Calm, type Verdict } from './try-point.ts';

export interface CampaignOptions {
  readonly seed: number;
  readonly answers: readonly Answers[];
  /** Pairs of faults tried for each history and start. */
  readonly pairs: number;
  /** Only so many points, chosen by the seed. @default all */
  readonly sample?: number;
  /** Only points whose names hold this text. */
  readonly only?: string;
  /** Points at once. */
  readonly lanes: number;
  readonly onVerdict?: (verdict: Verdict, done: number, total: number) => void;
}

/** Runs the campaign; the verdicts come in the order in which the points ended. */
export async function runCampaign(options: CampaignOptions): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const answers of options.answers) {
    const arena = await startArena(answers, { statementLimitMs: STATEMENT_LIMIT_MS });
    const lanes = await Promise.all(Array.from({ length: options.lanes }, () => openLane(arena)));
    try {
      const planned = choose(await planAll(arena, lanes, answers, options), answers, options);
      verdicts.push(...(await tryAll(planned, arena, lanes, options)));
    } finally {
      for (const lane of lanes) await lane.close();
      await arena.close();
    }
  }
  return verdicts;
}

interface Planned {
  readonly point: Point;
  readonly history: CampaignHistory;
  readonly calm: Calm;
}

async function planAll(
  arena: Arena,
  lanes: readonly Lane[],
  answers: Answers,
  { seed, pairs }: CampaignOptions,
): Promise<readonly Planned[]> {
  const [lane] = lanes;
  if (lane === undefined) return [];
  const planned: Planned[] = [];
  for (const history of HISTORIES) {
    for (const start of history.starts) {
      const calm = await calmRun(history, start, arena, lane);
      const points = [
        ...singlePoints(answers, history, start, calm.calls),
        ...pairPoints(answers, history, start, calm.calls, { seed, wanted: pairs }),
      ];
      planned.push(...points.map((point) => ({ point, history, calm })));
    }
  }
  return planned;
}

function choose(
  planned: readonly Planned[],
  answers: Answers,
  { seed, sample, only }: CampaignOptions,
): readonly Planned[] {
  const wanted = planned.filter(({ point }) => only === undefined || nameOf(point).includes(only));
  return sample === undefined ? wanted : sampleOf(wanted, sample, chanceOf(seed, 'sample', answers));
}

async function tryAll(
  planned: readonly Planned[],
  arena: Arena,
  lanes: readonly Lane[],
  { seed, onVerdict }: CampaignOptions,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const queue = planned.values();
  const work = async (lane: Lane): Promise<void> => {
    for (const { point, history, calm } of queue) {
      const verdict = await tryPoint(point, history, calm, arena, lane, seed);
      verdicts.push(verdict);
      onVerdict?.(verdict, verdicts.length, planned.length);
    }
  };
  await Promise.all(lanes.map(work));
  return verdicts;
}

/** What the history leaves when nothing breaks. */
async function calmRun(history: CampaignHistory, start: Start, arena: Arena, lane: Lane): Promise<Calm> {
  await lane.prepare(history, start);
  const { database, direct } = lane;
  const place = {
    endpoint: arena.dataApi.url,
    accessKeyId: lane.nextCaller(),
    database,
    limits: { idleTimeoutMs: CALM_IDLE_MS },
  };
  const result = await runEngine(history, { ...place, runId: 'calm', seed: 'calm' });
  return { snapshot: await takeSnapshot(direct), calls: result.dataApiCalls };
}
