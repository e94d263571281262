import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDemoApp } from '../../infra/demo/build-demo-app.ts';
import type { DeployResult } from '../../local/cloudformation/start-cloudformation.ts';
import { startRehearsal, type Rehearsal } from '../../local/rehearsal.ts';
import { invokeRunner, readRows } from './ask-by-hand.ts';
import type { Tell } from '../rehearsal/happening.ts';
import type { StandingOf } from '../rehearsal/narrate.ts';
import { STORY, writeRelease, type Chapter } from './story.ts';
import { watchRuns, type Run } from '../rehearsal/watch-runs.ts';

const STACK = 'ForerunDemoApp';

/** The runner has aliases, too; only the one of the app is what its callers use. */
export const standingInDemo: StandingOf = ({ resourceType, logicalId, path }) => {
  if (resourceType === 'AWS::Lambda::Alias' && logicalId.startsWith('App')) return 'live';
  const isGate = path?.includes('/Gate/') === true;
  return resourceType === 'AWS::Lambda::Function' && !isGate ? 'behind' : 'other';
};

/** What is shown of each table at the end. */
const SHOWN: Readonly<Record<string, string>> = {
  users: 'select email, name, role, credit::text, settings from users order by id',
  articles: 'select id, title, price::text, is_published, published_on, tags from articles order by id',
  countries: 'select code, name, currency, in_eu from countries order by code limit 3',
  'forerun.migration': 'select id, deploy_id, compatible from forerun.migration order by id',
};

/** Plays the whole story and resolves with what did not go as told; null when it was stopped on the way. */
export async function rehearseDemo(
  options: { readonly databaseUrl?: string; readonly stopped: AbortSignal },
  tell: Tell,
): Promise<readonly string[] | null> {
  const beganMs = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'forerun-demo-'));
  // The CDK keeps caches in the home folder; nothing is to be written outside ours.
  for (const home of ['HOME', 'USERPROFILE']) process.env[home] = folder;
  let rehearsal: Rehearsal | undefined;
  const wrong: string[] = [];
  let current = { deploy: 0, beganMs };
  try {
    const watch = watchRuns(() => rehearsal?.dataApi.calls().length ?? 0, tell);
    rehearsal = await startRehearsal({
      ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
      onLog: (line) => watch.line(line),
      onEvent({ stackName, logicalId, resourceType, status, reason = null, path = null }) {
        const { deploy } = current;
        const milliseconds = Date.now() - current.beganMs;
        tell({
          type: 'resource',
          deploy,
          stack: stackName,
          logicalId,
          resourceType,
          status,
          reason,
          path,
          milliseconds,
        });
      },
    });
    for (const chapter of STORY) {
      if (options.stopped.aborted) break;
      tell({ type: 'deploy', deploy: chapter.deploy, title: chapter.title });
      const assembly = synthesise(chapter, folder);
      current = { deploy: chapter.deploy, beganMs: Date.now() };
      watch.begin(chapter.deploy);
      const result = await rehearsal.deploy(assembly, STACK, chapter.fail);
      const differences = compare(chapter, result, watch.runs());
      wrong.push(...differences);
      tell({
        type: 'end-of-deploy',
        deploy: chapter.deploy,
        status: result.status,
        reason: result.reason ?? null,
        asTold: differences.length === 0,
      });
      // What follows stands on this deploy.
      if (differences.length > 0) break;
    }
    if (options.stopped.aborted) return null;
    if (wrong.length === 0) await readBack(rehearsal, tell);
  } finally {
    await rehearsal?.close();
    rmSync(folder, { recursive: true, force: true });
  }
  tell({ type: 'end', asTold: wrong.length === 0, wrong, seconds: (Date.now() - beganMs) / 1000 });
  return wrong;
}

/** Asks the runner by hand, and reads the rows that the migrations wrote. */
async function readBack(rehearsal: Rehearsal, tell: Tell): Promise<void> {
  // The runner's own answer.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const answer = (await invokeRunner(rehearsal, STACK, { action: 'status' })) as { readonly status: unknown };
  tell({ type: 'status', status: answer.status });
  for (const [table, sql] of Object.entries(SHOWN)) {
    tell({ type: 'rows', table, rows: await readRows(rehearsal, sql) });
  }
}

/** The real synth of a release; returns the folder of its cloud assembly. */
function synthesise(chapter: Chapter, folder: string): string {
  const outdir = join(folder, `release-${chapter.deploy}`, 'cdk.out');
  const version = String(chapter.deploy);
  const directory = writeRelease(chapter, folder);
  buildDemoApp({ outdir, directory, appVersion: version, deployId: `release-${version}` }).synth();
  return outdir;
}

function compare({ deploy, expected }: Chapter, { status }: DeployResult, runs: readonly Run[]): string[] {
  const forward = runs.find(({ action }) => action === 'up');
  const settled = runs.find(({ action }) => action === 'settle');
  const found: Readonly<Record<string, unknown>> = {
    status,
    outcome: forward?.outcome,
    applied: forward?.applied,
    ...(expected.dataApiCalls === undefined ? {} : { dataApiCalls: forward?.dataApiCalls }),
    ...(expected.ahead === undefined
      ? {}
      : { ahead: settled?.fenced === true ? settled.ahead : 'not known: the fence was not raised' }),
  };
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const got = found[name];
    return JSON.stringify(got) === JSON.stringify(wanted)
      ? []
      : [`deploy ${deploy}: ${name} should be ${JSON.stringify(wanted)}, but is ${JSON.stringify(got)}`];
  });
}
