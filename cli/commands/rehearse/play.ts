import type { ListedStack } from '../../../local/cloudformation/assembly.ts';
import type { DeployResult } from '../../../local/cloudformation/start-cloudformation.ts';
import { startRehearsal, type Denied, type Rehearsal } from '../../../local/rehearsal.ts';
import type { Tell } from '../../rehearsal/happening.ts';
import { watchRuns } from '../../rehearsal/watch-runs.ts';
import type { Place } from './choose-stacks.ts';
import type { Fault } from './find-fault.ts';
import { databaseOf } from './provide-imported.ts';
import { standingsOfDatabases, type DatabaseStanding } from './standing-of-database.ts';

/** One version of the app, synthesised. */
export interface Release {
  readonly assembly: string;
  readonly all: readonly ListedStack[];
  /** Those of `all` that are asked for. */
  readonly stacks: readonly ListedStack[];
  /** Behind the name of a stack, such as `as of v1.2`. */
  readonly words: string;
}

export interface PlayOptions {
  readonly place: Place;
  /** What is rehearsed. */
  readonly release: Release;
  /** What is deployed before, and taken as what stands; null for a first deploy. */
  readonly before: Release | null;
  readonly faults: readonly Fault[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly databaseUrl: string | undefined;
  readonly signal: AbortSignal;
  /** Names the place in what is told, where there is more than one. */
  readonly where: string | null;
}

/** How the deploy of one stack ended. */
export interface PlayedStack {
  readonly stack: string;
  /** `DENIED`: the rehearsal ended where a grant was missing, before CloudFormation came to rest. */
  readonly status: DeployResult['status'] | 'DENIED';
  /** Account and region, where the stacks are of more than one. */
  readonly place: string | null;
  /** Null where it is `DENIED`. */
  readonly kind: DeployResult['kind'] | null;
  /** The first thing that failed; null when nothing did. */
  readonly reason: string | null;
  readonly databases: readonly DatabaseStanding[];
}

export interface Played {
  /** A deploy of the release before, when it failed: then nothing was rehearsed. */
  readonly failedBefore: PlayedStack | null;
  readonly stacks: readonly PlayedStack[];
  /** Wishes to fail that no resource of the deploy met. */
  readonly unmet: readonly string[];
  /** What roles were refused. */
  readonly denied: readonly Denied[];
  /** What was not played, in words. */
  readonly passedOver: readonly string[];
}

/**
 * What Forerun asks for again for up to a minute, in case the grant is new. Here policies count at once and nothing else goes on
 * meanwhile, so that a minute changes nothing.
 */
const WAITED_FOR = /^(?:rds-data:|secretsmanager:)/;

/** Deploys the stacks of one account and region, one after the other, each after those that it needs. */
export async function play(options: PlayOptions, deploysBefore: number, tell: Tell): Promise<Played> {
  const { place, release, before, faults, parameters, databaseUrl, signal, where } = options;
  const passedOver = new Set<string>();
  const met = new Set<string>();
  const seen = new Map<string, string>();
  const denied = new Map<string, Denied>();
  const missing = Promise.withResolvers<'denied'>();
  let armed = false;
  /** What happens while all is taken down belongs to no deploy. */
  let isOver = false;
  let current = { deploy: deploysBefore, beganMs: Date.now(), rollingBack: false };
  let rehearsal: Rehearsal | undefined;
  const watch = watchRuns(
    () => rehearsal?.dataApi.calls().length ?? 0,
    tell,
    () => current.rollingBack,
  );
  const started = await startRehearsal({
    ...place,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    assumed: customTypes([release, before]),
    passOver: (what) => void passedOver.add(what),
    faultOf(resource) {
      const fault = armed ? faults.find(({ hits }) => hits(resource)) : undefined;
      if (fault === undefined) return undefined;
      met.add(fault.wish);
      return `made to fail by --fail ${fault.wish}`;
    },
    async onInvoke({ event }) {
      const database = databaseOf(event);
      if (database === undefined || (await rehearsal?.provideDatabase(database)) !== true) return;
      passedOver.add(
        `No stack here makes ${database.clusterArn} with its secret: an empty database stands in.`,
      );
    },
    onDenied(one) {
      const ends = !current.rollingBack && WAITED_FOR.test(one.action);
      if (ends) missing.resolve('denied');
      const key = JSON.stringify([current.deploy, one]);
      if (denied.has(key)) return;
      denied.set(key, one);
      tell({ type: 'denied', deploy: current.deploy, ...one, ends });
    },
    onLog(line) {
      if (!isOver) watch.line(line);
    },
    onEvent({ stackName, logicalId, resourceType, status, reason = null, path = null }) {
      if (isOver) return;
      const { deploy, beganMs } = current;
      seen.set(`${stackName} ${logicalId}`, resourceType);
      current.rollingBack ||= status.includes('ROLLBACK');
      const milliseconds = Date.now() - beganMs;
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
  rehearsal = started;
  const stop = (): void => void started.close();
  signal.addEventListener('abort', stop);
  const deploy = async (of: Release, stack: ListedStack): Promise<PlayedStack> => {
    current = { deploy: current.deploy + 1, beganMs: Date.now(), rollingBack: false };
    tell({
      type: 'deploy',
      deploy: current.deploy,
      title: `${stack.displayName} ${of.words}${where === null ? '' : `, in ${where}`}`,
    });
    watch.begin(current.deploy);
    const deploying = started.cloudFormation.deploy(of.assembly, stack.artifactId, { parameters });
    const result = await Promise.race([deploying, missing.promise]);
    if (result === 'denied') {
      isOver = true;
      // Ended by close(), and not asked any more.
      deploying.catch(() => undefined);
      const { deploy } = current;
      const [first] = denied.values();
      const reason = `${first?.action} on ${first?.resource} is not granted to ${first?.roleArn}`;
      tell({ type: 'end-of-deploy', deploy, status: 'DENIED', reason, asTold: true });
      return { stack: stack.name, status: 'DENIED', place: where, kind: null, reason, databases: [] };
    }
    const reason = result.reason ?? null;
    tell({ type: 'end-of-deploy', deploy: current.deploy, status: result.status, reason, asTold: true });
    return {
      stack: result.stackName,
      status: result.status,
      place: where,
      kind: result.kind,
      reason,
      databases: await standingsOfDatabases(started, stack.name),
    };
  };
  try {
    for (const stack of before?.stacks ?? []) {
      if (before === null) break;
      const played = await deploy(before, stack);
      if (played.reason !== null) {
        return { failedBefore: played, stacks: [], unmet: [], denied: [...denied.values()], passedOver: [] };
      }
    }
    armed = true;
    const stacks: PlayedStack[] = [];
    for (const stack of release.stacks) {
      const played = await deploy(release, stack);
      stacks.push(played);
      // The CDK goes no further either.
      if (played.reason !== null) break;
    }
    const unmet = faults.map(({ wish }) => wish).filter((wish) => !met.has(wish));
    const opaque = opaqueIn(seen, (type) => started.cloudFormation.plays(type));
    return {
      failedBefore: null,
      stacks,
      unmet,
      denied: [...denied.values()],
      passedOver: [...passedOver, ...opaque],
    };
  } finally {
    signal.removeEventListener('abort', stop);
    await started.close();
  }
}

/** Custom resources but Forerun's own: their functions want services that are not here. */
function customTypes(releases: readonly (Release | null)[]): readonly string[] {
  const types = releases
    .flatMap((release) => release?.all ?? [])
    .flatMap(({ templates }) => templates)
    .flatMap(({ Resources }) => Object.values(Resources).map(({ Type }) => Type));
  return [...new Set(types)].filter((type) => isForeignCustom(type));
}

const isForeignCustom = (type: string): boolean =>
  type === 'AWS::CloudFormation::CustomResource' ||
  (type.startsWith('Custom::') && !type.startsWith('Custom::Forerun'));

/** The types in which nothing happened, as one line, with how many resources of them there were. */
function opaqueIn(seen: ReadonlyMap<string, string>, plays: (type: string) => boolean): readonly string[] {
  const types = [...Map.groupBy([...seen.values()], (type) => type)]
    .filter(([type]) => !plays(type))
    .map(([type, { length }]) => (length === 1 ? type : `${type} (${length})`))
    .toSorted();
  return types.length === 0 ? [] : [`Nothing happens here in resources of these types: ${types.join(', ')}.`];
}
