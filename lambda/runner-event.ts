import * as v from 'valibot';
import { ForerunError, UNTOUCHED } from './engine/errors.ts';
import { HEAD } from './engine/migration.ts';

const name = (most: number) => v.pipe(v.string(), v.nonEmpty(), v.maxLength(most));

/** History names become part of a statement without parameters, so they are kept to a plain alphabet. */
const historyName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_.-]{1,64}$/, 'only letters, digits, "_", "." and "-", at most 64'),
);

const target = v.strictObject({
  clusterArn: name(570),
  secretArn: name(570),
  database: name(64),
  history: historyName,
});

const deploy = v.strictObject({
  deployId: name(256),
  commit: v.exactOptional(name(256)),
  owner: name(2048),
  runKey: name(2048),
  digest: name(128),
  deadlineMs: v.pipe(v.number(), v.integer()),
  askedAtMs: v.nullable(v.pipe(v.number(), v.integer())),
});

const atomic = v.picklist(['group', 'migration']);

/** What migrations get besides the database; the runner's own environment says what is left out. */
const surroundings = {
  environment: v.exactOptional(name(64)),
  params: v.exactOptional(v.record(v.string(), v.unknown())),
};

/** Kept in the journal for whoever asks later. */
const reason = name(500);

/** Who a person says to be, for whoever reads the history later: Lambda does not tell a function who invokes it. */
const by = v.exactOptional(name(128));

/** The name of the database, where a person has to say that it is the right one. */
const confirm = v.optional(name(64));

const backfill = name(128);

/** Why a person asks, and who it is: kept as it is given. Nobody has checked it; who may ask at all is for IAM to say. */
const asked = { reason: v.exactOptional(reason), by: v.exactOptional(name(128)) };

/** What is asked of backfills. */
const backfillEvents = [
  v.strictObject({
    action: v.literal('backfills'),
    backfill: v.exactOptional(backfill),
    target: v.optional(v.partial(target)),
  }),
  v.strictObject({
    action: v.literal('backfill'),
    backfill: v.exactOptional(backfill),
    dryRun: v.optional(v.boolean(), false),
    /** So many ranges at once in this call; as many as the backfill says where absent. */
    lanes: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16))),
    target: v.optional(v.partial(target)),
  }),
  v.strictObject({
    action: v.picklist(['pause', 'resume', 'cancel', 'retry']),
    backfill,
    ...asked,
    target: v.optional(v.partial(target)),
  }),
  v.strictObject({
    action: v.literal('tune'),
    backfill,
    ...asked,
    mostRows: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(50_000))),
    pauseMs: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3_600_000))),
    parallel: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16))),
    target: v.optional(v.partial(target)),
  }),
] as const;

/** What is asked of backfills, parsed. */
export type BackfillEvent = v.InferOutput<(typeof backfillEvents)[number]>;

const runnerEvent = v.variant('action', [
  ...backfillEvents,
  v.strictObject({
    action: v.literal('up'),
    to: v.optional(name(128), HEAD),
    atomic: v.optional(atomic, 'group'),
    target: v.optional(v.partial(target)),
    deploy: v.optional(deploy),
    yieldToOwnRun: v.optional(v.boolean(), false),
    by,
    ...surroundings,
  }),
  v.strictObject({
    action: v.literal('down'),
    to: name(128),
    confirm,
    by,
    atomic: v.optional(atomic, 'group'),
    target: v.optional(v.partial(target)),
    ...surroundings,
  }),
  v.strictObject({
    action: v.literal('plan'),
    to: v.optional(name(128)),
    direction: v.optional(v.picklist(['up', 'down']), 'up'),
    atomic: v.optional(atomic, 'group'),
    target: v.optional(v.partial(target)),
    ...surroundings,
  }),
  v.strictObject({ action: v.literal('status'), target: v.optional(v.partial(target)) }),
  v.strictObject({
    action: v.literal('history'),
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500)), 20),
    target: v.optional(v.partial(target)),
  }),
  v.strictObject({
    action: v.literal('unlock'),
    reason,
    confirm,
    by,
    target: v.optional(v.partial(target)),
  }),
  v.strictObject({ action: v.literal('repair'), reason, by, target: v.optional(v.partial(target)) }),
  v.strictObject({
    action: v.literal('stamp'),
    to: name(128),
    reason,
    confirm,
    by,
    target: v.optional(v.partial(target)),
  }),
  v.strictObject({ action: v.literal('settle'), target: v.optional(v.partial(target)), deploy }),
  v.strictObject({
    action: v.literal('revert'),
    owners: v.pipe(v.array(name(2048)), v.nonEmpty()),
    sinceMs: v.pipe(v.number(), v.integer()),
    everything: v.optional(v.boolean(), false),
    target: v.optional(v.partial(target)),
    deploy,
    ...surroundings,
  }),
]);

/** What may be sent; the gate's asks are among it (`test/gate/contract.test-d.ts`). */
export type RunnerEventInput = v.InferInput<typeof runnerEvent>;

/** What the runner can be asked for, parsed and with its defaults. */
export type RunnerEvent = v.InferOutput<typeof runnerEvent>;

/** Parses an event from anywhere; what is not ours is refused with every reason, and nothing is done. */
export function readRunnerEvent(event: unknown): RunnerEvent {
  const parsed = v.safeParse(runnerEvent, event);
  if (parsed.success) return parsed.output;
  const reasons = parsed.issues.map(reasonOf);
  throw new ForerunError('input-invalid', {
    what: `The event is not one that the runner understands: ${reasons.join('; ')}.`,
    state: UNTOUCHED,
    next: 'Send {"action":"status"}, "plan", "history", "up", {"action":"down","to":"<migration id or base>"}, or one of "unlock", "repair" and "stamp" with a "reason"; "down", "unlock" and "stamp" want the name of the database as "confirm".',
  });
}

/** The library's words are for programmers: a person wants to know which member, and what it takes. */
function reasonOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  if (path === null) return 'it is not an object';
  if (issue.type === 'variant') return `"${path}" must be one of ${PERSONS_ACTIONS.join(', ')}`;
  if (issue.type === 'strict_object' && issue.expected === 'never') return `"${path}" is not understood`;
  return issue.received === 'undefined' ? `"${path}" is missing` : `"${path}": ${issue.message}`;
}

/** What a person asks for; the gate's own actions are not offered. */
const PERSONS_ACTIONS = [
  'status',
  'plan',
  'history',
  'up',
  'down',
  'unlock',
  'repair',
  'stamp',
  'backfills',
  'backfill',
  'pause',
  'resume',
  'cancel',
  'retry',
  'tune',
];
