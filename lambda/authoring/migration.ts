import type { Kysely } from 'kysely';
import { ForerunError, UNTOUCHED } from '../engine/errors.ts';
import {
  BASE,
  type Atomic,
  type Down,
  type Migration,
  type MigrationTools,
  type Revision,
} from '../engine/migration.ts';
import type { Session } from '../engine/ports.ts';
import { flawOf } from './definition-flaw.ts';
import { createBuilder } from './dialect.ts';
import { isIrreversible, type Irreversible } from './irreversible.ts';
import { createOperations, type Operations } from './operations.ts';
import type { DatabaseOf, Table, Tables } from './table.ts';

/** What `up` and `down` get to work with. */
export interface MigrationContext<T extends Tables> {
  /** Kysely over the migration's transaction. It knows the tables of `tables`; schema changes need none. */
  readonly db: Kysely<DatabaseOf<T>>;
  /** Plain SQL and bulk rows. */
  readonly op: Operations;
  /** Tells how far a long step has come; shown while the run works. Keep values out of it. */
  readonly progress: (message: string) => void;
}

/** One direction of a migration. It may run several times, but its effect in the database counts once. */
export type Step<T extends Tables> = (context: MigrationContext<T>) => Promise<unknown>;

/** What an author writes. */
export interface MigrationSource<T extends Tables> {
  /** Id of the migration before this one, several to join two lines, or `'base'` for the first of all. */
  readonly after: string | readonly string[];
  /** The id written down once more: it must be the file's name, so that a renamed file is refused. */
  readonly id?: string;
  /** The tables that the migration relies on, under their own names. */
  readonly tables?: T & NamedByKey<T>;
  /** `migration` gives it a transaction of its own; by default adjacent migrations share one. */
  readonly atomic?: Atomic;
  /** Whether the previous release of the app works on the schema this migration leaves. */
  readonly compatible?: boolean;
  readonly up: Step<T>;
  readonly down: Step<T> | Irreversible;
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
  readonly compatible: boolean | undefined;
  readonly up: Step<Tables>;
  readonly down: Step<Tables> | Irreversible;
}

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
export function migration<const T extends Tables = NoTables>(
  source: MigrationSource<T>,
): MigrationDefinition {
  const flaw = flawOf(source);
  if (flaw !== undefined) throw notAMigration(flaw);
  const { after, id, tables, atomic = 'group', compatible, up, down } = source;
  const definition = {
    after: parentsOf(after),
    id,
    tables: Object.freeze({ ...tables }),
    atomic,
    compatible,
    // The tables beside them are the ones they were written for.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    up: up as Step<Tables>,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    down: down as Step<Tables> | Irreversible,
    [BRAND]: true,
  };
  return Object.freeze(definition);
}

/** Whether a module's default export is a migration, whichever copy of this package made it. */
export function isMigrationDefinition(value: unknown): value is MigrationDefinition {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** A definition as the engine runs it, under the name and fingerprint that the history gave it. */
export function bindMigration(definition: MigrationDefinition, revision: Revision): Migration {
  if (definition.id !== undefined && definition.id !== revision.id) throw renamed(definition.id, revision.id);
  const { atomic, compatible, tables, up } = definition;
  return Object.freeze({
    ...revision,
    atomic,
    ...(compatible === undefined ? {} : { compatible }),
    up: runner(up, tables),
    down: boundDown(definition),
  });
}

function parentsOf(after: string | readonly string[]): readonly string[] {
  if (after === BASE) return Object.freeze([]);
  return Object.freeze(typeof after === 'string' ? [after] : [...after]);
}

function notAMigration(flaw: string): ForerunError {
  return new ForerunError('migration-not-a-migration', {
    what: `A migration is not written as one: ${flaw}.`,
    state: UNTOUCHED,
    next: 'Mend the call of migration().',
  });
}

function boundDown({ down, tables }: MigrationDefinition): Down {
  if (isIrreversible(down)) return { kind: 'irreversible', why: down.irreversible };
  return { kind: 'reversible', run: runner(down, tables) };
}

function runner(step: Step<Tables>, tables: Tables) {
  return async (session: Session, tools: MigrationTools): Promise<void> => {
    await step(contextOf(session, tools, tables));
  };
}

function contextOf(session: Session, tools: MigrationTools, tables: Tables): MigrationContext<Tables> {
  const db = createBuilder(session, tables);
  return {
    db,
    op: createOperations(session, db, tools),
    progress: (message) => tools.progress(message),
  };
}

function renamed(written: string, known: string): ForerunError {
  return new ForerunError('history-bad-id', {
    what: `The migration calls itself '${written}', but the history knows it as '${known}'.`,
    state: UNTOUCHED,
    next: 'Give the file the name of the migration again.',
  });
}
