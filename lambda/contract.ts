/**
 * Every name and number that the construct, the gate and the runner must agree on.
 * The construct writes them into the template, the gate and the runner read them back.
 */

import type { Amended } from './engine/amend.ts';
import type { BackfillData, Worked } from './engine/backfill/operate.ts';
import type { Trial } from './engine/backfill/trial.ts';
import type { PlanData, RunData, Status } from './engine/inspect.ts';
import type { Atomic, Phase } from './engine/migration.ts';
import type { RunError, RunResult, StepOutcome } from './engine/outcome.ts';
import type { Verdict } from './engine/settle.ts';
import type { Unlocked } from './engine/unlock.ts';

export type { StepOutcome, Verdict };

/** Version of the properties and payloads below. A gate that meets a newer one on a rollback keeps out of the way. */
export const CONTRACT_VERSION = '1';

/** CloudFormation type of the resource that holds a deploy. At most 60 characters (CloudFormation's limit). */
export const RESOURCE_TYPE = 'Custom::ForerunMigrations';

/** One id for ever: a changed physical id would make CloudFormation delete "the old one" in every cleanup. */
export const PHYSICAL_RESOURCE_ID = 'forerun-migrations';

/** The journal key when an app does not name its history. */
export const DEFAULT_HISTORY = 'default';

/**
 * What happens to the database when CloudFormation rolls the stack back. `keep` leaves it as it is; `revert` takes back what the
 * deploy applied, all or nothing, once the old app is live again; `fail` stops the rollback unless the old release is known to work
 * with the database.
 */
export type OnRollback = 'keep' | 'revert' | 'fail';

/**
 * What happens to the database when the stack is deleted. `revert` takes back everything of this history, all or nothing, if the
 * stack was the last to migrate it.
 */
export type OnDelete = 'keep' | 'revert';

/** CloudFormation type of the resource that runs the migrations of phase `after`, once what goes live is live. */
export const AFTER_RESOURCE_TYPE = 'Custom::ForerunAfter';

/** What becomes of a deploy whose migrations fail when the app is live already. */
export type OnAfterFailure = 'keep-going' | 'fail';

/** CloudFormation type of the resource whose deletion, in the cleanup of a rollback, is the moment to revert. */
export const UNDO_RESOURCE_TYPE = 'Custom::ForerunUndo';

/** Properties of the undo resource: its logical id carries the digest, so that each change of the migrations makes a new one. */
export interface UndoProperties extends Omit<MigrationsProperties, 'Atomic' | 'OnRollback' | 'OnDelete'> {
  /** Logical ids of the resources that hold the deploy, separated by commas: what their runs applied is taken back. */
  readonly Holds: string;
}

/** Attributes of the custom resource, readable with `Fn::GetAtt`. */
export interface Attributes {
  /** Id of the last migration of the release that was deployed. */
  readonly Head: string;
  readonly DeployId: string;
  readonly Outcome: string;
  /** How many migrations this deploy applied. */
  readonly Applied: string;
  /** Migrations that the database has and this release does not, separated by commas; `unknown` when it could not be read. */
  readonly Ahead: string;
  /** Whether this release works with the database: `yes`, `no` or `unknown`. */
  readonly Compatible: string;
}

/** Properties of the custom resource. CloudFormation hands every scalar on as a string. */
export interface MigrationsProperties {
  readonly ContractVersion: string;
  /** ARN of the published runner version that holds exactly these migrations. */
  readonly RunnerArn: string;
  /** Id of the last migration, or `base` when there is none. */
  readonly Head: string;
  /** Fingerprint of the whole history; must equal the one inside the runner's bundle. */
  readonly Digest: string;
  /** Which deploy asks; equal input gives an equal id. */
  readonly DeployId: string;
  /** The commit that the template was made from; absent where nobody told, and where it would make a deploy of its own. */
  readonly Commit?: string;
  readonly ClusterArn: string;
  readonly SecretArn: string;
  readonly Database: string;
  readonly History: string;
  readonly Atomic: Atomic;
  readonly OnRollback: OnRollback;
  /** `keep` where absent. */
  readonly OnDelete?: OnDelete;
  /** Seconds that the migrations may work; as many as one call of the runner allows where absent. */
  readonly Timeout?: string;
  /** ARN of the published worker version; absent where nothing of this release can outlast the runner. */
  readonly WorkerArn?: string;
  /** Name of the environment, for migrations that are limited to some. */
  readonly Environment?: string;
  /** JSON object with the parameters of the migrations. */
  readonly Params?: string;
  /** `after` for the resource that waits for the app; `before` where absent. */
  readonly Phase?: Phase;
  /**
   * Logical id of the resource as which this one runs, so that to the fence both phases are one deploy: what ends the one ends the
   * other, whichever of them a rollback asks first. Its own where absent.
   */
  readonly RunsAs?: string;
  /** `keep-going` where absent. */
  readonly OnAfterFailure?: OnAfterFailure;
  /** Texts of `Params` that only the deploy knows, each where `PARAM_TEXT` says; absent where there are none. */
  readonly ParamTexts?: readonly string[];
}

/**
 * Stands in `Params` as `{"forerun:text":0}` for the first of `ParamTexts`. CloudFormation puts values into JSON as they are, so
 * that a quote in one would end its text; beside the JSON they travel whole.
 */
export const PARAM_TEXT = 'forerun:text';

/** What migrations are told from outside. */
export interface Surroundings {
  /** Which environment this is, for migrations that are limited to some. */
  readonly environment?: string;
  /** What migrations ask for in `params`. */
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Where a run works: it travels in the payload, because a published version freezes its environment. */
export interface Target {
  readonly clusterArn: string;
  readonly secretArn: string;
  readonly database: string;
  readonly history: string;
}

/** Environment of the runner: only the default target of a manual invoke. */
export const RUNNER_ENVIRONMENT = {
  clusterArn: 'FORERUN_CLUSTER_ARN',
  secretArn: 'FORERUN_SECRET_ARN',
  database: 'FORERUN_DATABASE',
  history: 'FORERUN_HISTORY',
} as const satisfies Record<keyof Target, string>;

/** Environment of the runner: what a manual invoke's migrations get when the event says nothing. */
export const SURROUNDINGS_ENVIRONMENT = {
  environment: 'FORERUN_ENVIRONMENT',
  /** JSON. */
  params: 'FORERUN_PARAMS',
} as const;

/** Environment of the runner: the texts of `FORERUN_PARAMS` that only the deploy knows, each in a variable of its own, from 0. */
export const paramTextVariable = (at: number): string => `${SURROUNDINGS_ENVIRONMENT.params}_TEXT_${at}`;

/** Environment of the runner: the worker version that goes on with what a call of the runner leaves. */
export const WORKER_ENVIRONMENT = 'FORERUN_WORKER_ARN';

/**
 * Names of the aliases for people: through the first the runner only tells, through the second it does everything. A grant on
 * one of them is what IAM can tell apart.
 */
export const RUNNER_ALIASES = { read: 'read', act: 'act' } as const;

/**
 * Metrics of both functions in CloudWatch. One dimension, the name of the runner, tells the databases and stacks of an account
 * apart.
 */
export const METRICS = {
  namespace: 'Forerun',
  dimension: 'Runner',
  units: {
    /** Migrations that a run committed. */
    Applied: 'Count',
    /** Migrations that a run took back. */
    Reverted: 'Count',
    /** 1 for a run that did not reach its goal, 0 for any other. */
    Failed: 'Count',
    /** Rows that the statements of a run wrote. */
    Rows: 'Count',
    /** A whole run, with all its waiting. */
    Duration: 'Milliseconds',
    DataApiCalls: 'Count',
    /** How much of a run was waiting for another one. */
    LeaseWait: 'Milliseconds',
    /** Migrations that the database has and the release in use does not; measured by every deploy and every rollback. */
    DatabaseAhead: 'Count',
    /** 1 when the gate fails a deploy, for whatever reason, 0 when it lets one on. */
    DeployFailed: 'Count',
    /** Rows that backfills changed. */
    BackfillRows: 'Count',
    BackfillBatches: 'Count',
    /** Each batch of a backfill, from its request to its answer. */
    BackfillBatchDuration: 'Milliseconds',
    /** How much of a backfill's rows were looked at. */
    BackfillProgress: 'Percent',
    /** How long a backfill has to go, at the rate of its last minute. */
    BackfillEta: 'Seconds',
    /** Backfills that are paused or failed: only a person lets them go on. */
    BackfillsStopped: 'Count',
    /** 1 when the migrations after the app is live are not done, although the deploy goes on; 0 when they are. */
    AfterFailed: 'Count',
  },
} as const;

export type MetricName = keyof (typeof METRICS)['units'];

/** Environment of the runner: ARN of the event bus that hears of every run; absent where nobody asked for it. */
export const EVENT_BUS_VARIABLE = 'FORERUN_EVENT_BUS';

/** What an event on the bus is known by. */
export const RUN_EVENTS = {
  source: 'forerun',
  /** A run has ended, whatever came of it. */
  run: 'Forerun Run Ended',
  /** A rollback has raised the fence, or could not. */
  rollback: 'Forerun Rollback Settled',
} as const;

/** The detail of both kinds of events; plain data, without statements, values and secrets. */
export interface RunEventDetail {
  /** Version of this form. */
  readonly version: '1';
  readonly action: 'up' | 'down' | 'revert' | 'settle';
  /** Whether the run reached its goal; of a rollback, whether no earlier run can commit any more. */
  readonly ok: boolean;
  /** As in the journal: what is known of the run's steps, or `settled`. */
  readonly outcome: string;
  readonly history: string;
  readonly database: string;
  readonly clusterArn: string;
  /** Last migration of the release that was asked, or `base`. */
  readonly head: string;
  readonly runId: string;
  readonly deployId: string | null;
  readonly commit: string | null;
  /** Id of the stack and of the resource that asked; null for a person. */
  readonly owner: string | null;
  readonly milliseconds: number;
  readonly dataApiCalls: number;
  /** Migrations that were applied; at most 100, and `migrations` counts them all. */
  readonly applied: readonly string[];
  /** Migrations that were reverted; as above. */
  readonly reverted: readonly string[];
  /** How many were applied or reverted. */
  readonly migrations: number;
  /** Rows that the run wrote and that stand. */
  readonly rows: number;
  /** What went wrong: the code of `docs/errors.md`, and the migration where there is one. The log tells the rest. */
  readonly error: { readonly code: string; readonly migration: string | null } | null;
  /** Of a rollback: where it leaves the database. */
  readonly verdict: Pick<Verdict, 'ahead' | 'pending' | 'compatible'> | null;
  /** Where the log of the run is. */
  readonly log: string;
}

/** Which parts of a bundle are made of which lines of the author's files. */
export interface AuthorPlaces {
  /** As people know them, from the folder that holds the migrations. */
  readonly files: readonly string[];
  /**
   * Line and column of the bundle where a part begins, in this order; the number of its file, and its line there. A file that
   * is -1 is none of the author's. Lines and columns count from 1.
   */
  readonly places: readonly (readonly number[])[];
}

/** What the gate adds to an action, so that the run knows for whom it works and when it must be done. */
export interface DeployContext {
  readonly deployId: string;
  /** The commit that the deploy was made from, where its template tells. */
  readonly commit?: string;
  /**
   * StackId and logical id of the resource as which is asked (its own, or `RunsAs`): two runs of one owner are one deploy overtaking
   * itself.
   */
  readonly owner: string;
  /** The same key asked twice means the same run: it is waited for or its stored outcome is returned, never repeated. */
  readonly runKey: string;
  /** Digest that the template was made with. */
  readonly digest: string;
  /** Moment at which the runner must have answered, in milliseconds since 1970. */
  readonly deadlineMs: number;
  /**
   * When CloudFormation asked, by its own clock, in milliseconds since 1970: once a newer ask of the same owner was taken up,
   * an older one that was held back somewhere may not start any more. Null where the request does not tell.
   */
  readonly askedAtMs: number | null;
}

/** What the gate asks the runner for; a person may ask for more (`runner-event.ts`). */
export type GateAsk =
  | ({
      readonly action: 'up';
      readonly atomic: Atomic;
      /** `before` where absent. */
      readonly phase?: Phase;
      readonly target: Target;
      readonly deploy: DeployContext;
      readonly yieldToOwnRun: boolean;
    } & Surroundings)
  | { readonly action: 'settle'; readonly target: Target; readonly deploy: DeployContext }
  | ({
      readonly action: 'revert';
      readonly target: Target;
      readonly deploy: DeployContext;
      /** Whose runs are taken back: owners as in `DeployContext.owner`. */
      readonly owners: string[];
      /** Since when, by CloudFormation's clock, in milliseconds since 1970. */
      readonly sinceMs: number;
      /** All that stands, if a resource of the first owner's stack was the last to migrate; the moment does not count then. */
      readonly everything?: boolean;
    } & Surroundings);

/** What the worker is started with. It does what the runner does, slice after slice, until there is nothing more to do. */
export type WorkerTask =
  | {
      readonly task: 'up';
      readonly ask: Extract<GateAsk, { readonly action: 'up' }>;
      /** What the runner has committed before. */
      readonly applied: readonly StepOutcome[];
      /** Name of the runner, under which its metrics are kept. */
      readonly runner: string;
    }
  | {
      readonly task: 'backfill';
      readonly backfill: string;
      readonly target: Target;
      readonly runner: string;
      /** Which execution in a row this is, from 1: one can only remember so many slices. */
      readonly link: number;
    };

/** Everything the runner can say; always plain data. */
export type RunnerAnswer = {
  readonly ok: boolean;
  /** Where this call's log lines are. */
  readonly log: string;
  /** As what the call stands in log and journal; absent in the answers of runners before this member was added. */
  readonly runId?: string;
} & (
  | { readonly action: 'up' | 'down'; readonly result: RunResult }
  /** Another run of the same resource still works; nothing was done. */
  | { readonly action: 'up'; readonly overtaken: true }
  | { readonly action: 'settle'; readonly verdict: Verdict }
  | { readonly action: 'unlock'; readonly unlocked: Unlocked }
  | { readonly action: 'stamp' | 'repair'; readonly amended: Amended }
  | { readonly action: 'status'; readonly status: Status }
  | { readonly action: 'plan'; readonly plan: PlanData }
  | { readonly action: 'history'; readonly runs: readonly RunData[] }
  | ShownBackfills
  /** One batch that was rolled back. */
  | { readonly action: 'backfill'; readonly trial: Trial }
  | { readonly action: 'none'; readonly error: RunError }
);

/** What the runner says of backfills. */
export type BackfillAnswer = { readonly ok: boolean } & (
  ShownBackfills | { readonly action: 'backfill'; readonly trial: Trial }
);

/** Backfills as they stand now; where work was asked for, those that were worked on, and what it leaves. */
export type ShownBackfills = { readonly action: 'backfills' } & BackfillsShown & Partial<Worked>;

/** Some backfills, and of a list how many more there are. */
export interface BackfillsShown {
  readonly backfills: readonly BackfillData[];
  readonly more?: number;
}

/** Codes of runs that ended with their time, and not with their work: a later run goes on where they stopped. */
export const UNFINISHED: ReadonlySet<string> = new Set([
  'out-of-time',
  'statement-running',
  'backfill-working',
  'lease-busy',
  'outcome-unknown',
]);

/** The time table of a deploy, in seconds; the construct checks it at synth. */
export const SECONDS = {
  /** The runner's whole time for one call. */
  runner: 660,
  /** The gate's own time: one runner call, time to ask again, time to answer. */
  gate: 900,
  /** Kept back in the gate for a second ask after a dropped connection. */
  askAgain: 210,
  /** Kept back in the gate for its answer. */
  answer: 15,
  /** How long Lambda may hold an event back before the gate gets it. */
  maximumEventAge: 120,
  /** CloudFormation gives up after this: event age plus gate. */
  serviceTimeout: 1020,
  /** The longest that CloudFormation waits for a custom resource (`ServiceTimeout`). */
  longestServiceTimeout: 3600,
  /** One invocation of the worker; its work goes on in the next. */
  worker: 900,
  /** Beyond the time that the migrations are given: the last slice's end is seen, and answered. */
  afterWorker: 60,
} as const;

/** How long CloudFormation waits for the answer, in seconds, when the migrations are given so many. */
export function serviceTimeoutFor(timeoutSeconds: number = SECONDS.runner): number {
  if (timeoutSeconds <= SECONDS.runner) return SECONDS.serviceTimeout;
  const wanted = SECONDS.maximumEventAge + timeoutSeconds + SECONDS.afterWorker;
  return Math.min(SECONDS.longestServiceTimeout, wanted);
}

/** CloudFormation refuses a longer answer and loses its reason. Bytes, the whole body. */
export const MAX_ANSWER_BYTES = 4096;
