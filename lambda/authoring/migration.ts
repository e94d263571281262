import { ForerunError, UNTOUCHED } from '../engine/errors.ts';
import {
  BASE,
  type Atomic,
  type Down,
  type Migration,
  type MigrationTools,
  type Phase,
  type Revision,
} from '../engine/migration.ts';
import type { Backfill } from '../engine/backfill/backfill.ts';
import type { Session } from '../engine/ports.ts';
import { inContext, type MigrationContext } from './context.ts';
import { flawOf } from './definition-flaw.ts';
import { isIrreversible, type Irreversible } from './irreversible.ts';
import { givenTo, NOWHERE, type Gift } from './gift.ts';
import type { UsedOperation } from './operation.ts';
import type { ParamsSchema } from './params.ts';
import type { NoSecrets, Secrets } from './secret.ts';
import type { Surroundings } from './surroundings.ts';
import type { Table, Tables } from './table.ts';
import { waysOf } from './ways.ts';

/** One direction of a migration. It may run several times, but its effect in the database counts once. */
export type Step<T extends Tables, P = undefined, S extends Secrets = NoSecrets> = (
  context: MigrationContext<T, P, S>,
) => Promise<unknown>;

/** What an author writes: `up` and `down`, or `operations`, which know both ways. */
export type MigrationSource<
  T extends Tables,
  P = undefined,
  S extends Secrets = NoSecrets,
> = MigrationOptions<T, P, S> & (WrittenWays<T, P, S> | OperationsOnly);

export interface WrittenWays<T extends Tables, P, S extends Secrets> {
  readonly up: Step<T, P, S>;
  /** Takes back what `up` did; `irreversible('why')` where there is no way back. */
  readonly down: Step<T, P, S> | Irreversible;
  readonly operations?: never;
}

export interface OperationsOnly {
  /**
   * Operations with their arguments, done in this order and taken back in the opposite one. Plans list them by name.
   *
   * @example operations: [addCheck.with({ table: 'articles', name: 'articles_price', check: 'price >= 0' })]
   */
  readonly operations: readonly UsedOperation[];
  readonly up?: never;
  readonly down?: never;
}

export interface MigrationOptions<T extends Tables, P, S extends Secrets> {
  /** Id of the migration before this one, several to join two lines, or `'base'` for the first of all. */
  readonly after: string | readonly string[];
  /** The id written down once more: it must be the file's name, so that a renamed file is refused. */
  readonly id?: string;
  /** The tables that the migration relies on, under their own names. */
  readonly tables?: T & NamedByKey<T>;
  /** `migration` gives it a transaction of its own; by default adjacent migrations share one. */
  readonly atomic?: Atomic;
  /**
   * When a deploy runs it: `'before'` the app goes live, or `'after'` the app is live, for contract work such as dropping a column
   * that the old app still reads. What fails then does not fail the deploy; the next one tries again. A before-migration cannot
   * stand on an after-migration that is still pending: that takes two deploys. It counts in the checksum, so an applied
   * migration stays in its phase. @default 'before'
   */
  readonly phase?: Phase;
  /**
   * `false` lets every statement commit alone, for what PostgreSQL refuses in a transaction (`create index concurrently`,
   * `vacuum`). Each is recorded and never done twice; after an interruption the next run goes on behind the last one that is
   * done, so `up` must send the same statements in the same order every time. @default true
   */
  readonly transaction?: boolean;
  /**
   * Lets statements outlast the 45 seconds that the Data API allows for a call; they commit alone, as with
   * `transaction: false`, and are awaited over several runs if need be. @default false
   */
  readonly long?: boolean;
  /**
   * How long a statement may wait for a lock, in milliseconds; while it waits, the app's own statements queue behind it.
   * When the time is over, everything is rolled back and tried again with a growing pause. @default 5000
   */
  readonly lockTimeoutMs?: number;
  /** Whether the previous release of the app works on the schema this migration leaves. */
  readonly compatible?: boolean;
  /**
   * Names of the environments in which it is meant to run. Elsewhere its row is written as skipped, so that the history is
   * the same everywhere, and its code does not run. The property `environment` of `Migrations` names the deploy's own.
   *
   * @example environments: ['dev', 'test']
   */
  readonly environments?: readonly string[];
  /**
   * What it needs to know about its deploy, as a schema of Zod, Valibot or another library that speaks Standard Schema. The
   * property `params` of `Migrations` is held against it at synth, and again before the run; `up` gets the result.
   *
   * @example params: v.object({ region: v.string() })
   */
  readonly params?: ParamsSchema<P>;
  /**
   * Secrets that it needs, read before its transaction begins; `up` gets their texts under the same names.
   *
   * @example secrets: { app: secret('prod/app-role', 'password') }
   */
  readonly secrets?: S;
  /**
   * Ids of backfills that must be done before it runs. Where one is not, the deploy is refused at once with its progress, or
   * finishes it when little is left.
   *
   * @example needs: ['0012_fill_slug']
   */
  readonly needs?: readonly string[];
}

/** Without `tables` the builder knows none. */
type NoTables = { readonly [K in never]: Table };

type NamedByKey<T extends Tables> = { readonly [K in keyof T]: Table<K & string> };

/** A checked migration, not yet bound to a session: the default export of a migration module. */
export interface MigrationDefinition {
  /** Ids of the parents; empty for the first migration. */
  readonly after: readonly string[];
  readonly id: string | undefined;
  readonly tables: Tables;
  readonly atomic: Atomic;
  readonly phase: Phase;
  readonly alone: 'short' | 'long' | undefined;
  readonly lockTimeoutMs: number | undefined;
  readonly compatible: boolean | undefined;
  /** It stands outside the history; see `repeatable`. */
  readonly repeatable?: true;
  readonly environments: readonly string[] | undefined;
  readonly params: ParamsSchema | undefined;
  readonly secrets: Secrets;
  /** Names and descriptions of its operations, where it consists of nothing else. */
  readonly operations: readonly string[] | undefined;
  readonly needs: readonly string[];
  /** What `backfill()` adds. */
  readonly backfill?: Backfill;
  readonly up: AnyStep;
  readonly down: AnyStep | Irreversible;
}

type AnyStep = Step<Tables, unknown, Secrets>;

// Symbol.for: a module may import another copy of this package than the one that loads it.
const BRAND = Symbol.for('forerun.migration');

/**
 * Defines a migration.
 *
 * @example
 * const articles = table('articles', { id: bigint(), draft: boolean(), is_published: boolean() });
 *
 * export default migration({
 *   after: '0002_seed_users',
 *   tables: { articles },
 *   async up({ db }) {
 *     await db.updateTable('articles').set({ is_published: true }).where('draft', '=', false).execute();
 *   },
 *   down: irreversible('nobody knows which articles were published before'),
 * });
 */
export function migration<const T extends Tables = NoTables, P = undefined, S extends Secrets = NoSecrets>(
  source: MigrationSource<T, P, S>,
): MigrationDefinition {
  const flaw = flawOf(source);
  if (flaw !== undefined) throw notAMigration(flaw);
  const { after, id, tables, atomic = 'group', phase = 'before', lockTimeoutMs } = source;
  const { compatible, environments, params } = source;
  const { up, down, operations } = waysOf<Step<T, P, S>>(source);
  const definition = {
    after: parentsOf(after),
    id,
    tables: Object.freeze({ ...tables }),
    atomic,
    phase,
    alone: aloneOf(source),
    lockTimeoutMs,
    compatible,
    environments,
    params,
    secrets: Object.freeze({ ...source.secrets }),
    operations,
    needs: Object.freeze([...(source.needs ?? [])]),
    // The tables beside them are the ones they were written for.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    up: up as AnyStep,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    down: down as AnyStep | Irreversible,
    [BRAND]: true,
  };
  return Object.freeze(definition);
}

/** Whether a module's default export is a migration, whichever copy of this package made it. */
export function isMigrationDefinition(value: unknown): value is MigrationDefinition {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** A definition as the engine runs it, under the name and fingerprint that the history gave it. */
export function bindMigration(
  definition: MigrationDefinition,
  revision: Revision,
  surroundings: Surroundings = NOWHERE,
): Migration {
  if (definition.id !== undefined && definition.id !== revision.id) throw renamed(definition.id, revision.id);
  const { atomic, phase, alone, lockTimeoutMs, compatible, environments, operations, tables, up } =
    definition;
  const gift = givenTo(definition, revision, surroundings);
  return Object.freeze({
    ...revision,
    atomic,
    ...(phase === 'after' ? { phase } : {}),
    ...(alone === undefined ? {} : { alone }),
    ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }),
    ...(compatible === undefined ? {} : { compatible }),
    ...(environments === undefined ? {} : { environments }),
    ...(operations === undefined ? {} : { operations }),
    ...(definition.needs.length === 0 ? {} : { needs: definition.needs }),
    ...(definition.backfill === undefined ? {} : { backfill: definition.backfill }),
    ...(gift.refusal === undefined ? {} : { refusal: gift.refusal }),
    ...(definition.repeatable === undefined ? {} : { repeatable: true }),
    prepare: gift.prepare,
    up: runner(up, tables, gift),
    down: boundDown(definition, gift),
  });
}

/** The same definition with a backfill in it. */
export function withBackfill(definition: MigrationDefinition, backfill: Backfill): MigrationDefinition {
  return Object.freeze({ ...definition, backfill });
}

function aloneOf({
  transaction = true,
  long = false,
}: Pick<MigrationSource<Tables>, 'transaction' | 'long'>): 'short' | 'long' | undefined {
  if (long) return 'long';
  return transaction ? undefined : 'short';
}

function parentsOf(after: string | readonly string[]): readonly string[] {
  if (after === BASE) return Object.freeze([]);
  return Object.freeze(typeof after === 'string' ? [after] : [...after]);
}

/** For what the module's default export cannot be. */
export function notAMigration(flaw: string): ForerunError {
  return new ForerunError('migration-not-a-migration', {
    what: `A migration is not written as one: ${flaw}.`,
    state: UNTOUCHED,
    next: 'Mend the call of migration().',
  });
}

function boundDown({ down, tables }: MigrationDefinition, gift: Gift): Down {
  if (isIrreversible(down)) return { kind: 'irreversible', why: down.irreversible };
  return { kind: 'reversible', run: runner(down, tables, gift) };
}

function runner(step: AnyStep, tables: Tables, gift: Gift) {
  return async (session: Session, tools: MigrationTools): Promise<void> => {
    await inContext(session, tools, tables, gift, step);
  };
}

function renamed(written: string, known: string): ForerunError {
  return new ForerunError('history-bad-id', {
    what: `The migration calls itself '${written}', but the history knows it as '${known}'.`,
    state: UNTOUCHED,
    next: 'Give the file the name of the migration again.',
  });
}
