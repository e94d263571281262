import type { Kysely } from 'kysely';
import { ForerunError, UNTOUCHED } from '../engine/errors.ts';
import type { Check } from './check.ts';
import { isIrreversible, type Irreversible } from './irreversible.ts';
import type { Operations } from './operations.ts';

/** The ways to the database, with operations among them. */
export interface Op extends Operations {
  /**
   * Does an operation; the log shows it by its name.
   *
   * @throws ForerunError `statement-refused` when it needs `transaction: false` and the migration does not say so.
   * @example await op.use(addIndex, { table: 'articles', name: 'articles_slug', columns: ['slug'] });
   */
  use<A>(operation: Operation<A>, ...args: ArgumentOf<A>): Promise<void>;
  use(used: UsedOperation): Promise<void>;
  /**
   * Takes an operation back.
   *
   * @throws ForerunError `statement-refused` when the operation says that there is no way back.
   * @example await op.undo(addIndex, { table: 'articles', name: 'articles_slug', columns: ['slug'] });
   */
  undo<A>(operation: Operation<A>, ...args: ArgumentOf<A>): Promise<void>;
  undo(used: UsedOperation): Promise<void>;
}

/** An operation that takes nothing is used without an argument. */
export type ArgumentOf<A> = undefined extends A ? [args?: A] : [args: A];

/** What an operation gets to work with; names of tables come in its argument, so the builder knows none. */
export interface OperationContext {
  readonly db: Kysely<{ readonly [K in never]: unknown }>;
  readonly op: Op;
  readonly check: Check;
  readonly progress: (message: string) => void;
}

/** What an author of an operation writes; `A` is its argument. */
export interface OperationSource<A> {
  /** Two or three words; plans and logs show it. */
  readonly name: string;
  /**
   * Says what it does with this argument, in one line for plans and logs. Name tables and columns, no values. Without it only
   * the name is shown, and never the argument.
   */
  readonly describe?: (args: A) => string;
  /**
   * `false` where its statements must commit one by one: it then works in migrations with `transaction: false` only. `true`
   * where they must commit together. Without it the operation works in both.
   */
  readonly transaction?: boolean;
  readonly up: (context: OperationContext, args: A) => Promise<unknown>;
  readonly down: ((context: OperationContext, args: A) => Promise<unknown>) | Irreversible;
}

/** A step that migrations share: an ordinary value, so it can live in a file, a folder or a package. */
export interface Operation<A> {
  readonly name: string;
  /** The operation with its argument, for `operations` of a migration. */
  with(...args: ArgumentOf<A>): UsedOperation;
}

/** An operation and its argument. */
export interface UsedOperation {
  /** Its name, and what `describe` says. */
  readonly label: string;
  /** False when its statements must commit one by one, true when they must commit together. */
  readonly transaction: boolean | undefined;
  readonly up: (context: OperationContext) => Promise<unknown>;
  readonly down: ((context: OperationContext) => Promise<unknown>) | Irreversible;
}

// Symbol.for: a package with operations may bring its own copy of this one.
const BRAND = Symbol.for('forerun.operation');

/** So much of a description is shown. */
const LONGEST_LABEL = 200;

/**
 * Defines an operation.
 *
 * @throws ForerunError `migration-not-a-migration` when it has no name, no `up` or no `down`.
 * @example
 * export const addSlug = operation({
 *   name: 'add slug',
 *   describe: ({ table }: { table: string }) => table,
 *   up: ({ op }, { table }) => op.execute(sql`alter table ${sql.table(table)} add column slug text`),
 *   down: ({ op }, { table }) => op.execute(sql`alter table ${sql.table(table)} drop column slug`),
 * });
 */
export function operation<A = void>(source: OperationSource<A>): Operation<A> {
  const flaw = flawOf(source);
  if (flaw !== undefined) throw notAnOperation(flaw);
  const { name, describe, transaction, up, down } = source;
  return Object.freeze({
    name,
    with(...given: ArgumentOf<A>): UsedOperation {
      // An argument that may be left out is undefined then, which its type allows.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const args = given[0] as A;
      return Object.freeze({
        label: labelOf(name, describe?.(args)),
        transaction,
        up: (context: OperationContext) => up(context, args),
        down: isIrreversible(down) ? down : (context: OperationContext) => down(context, args),
        [BRAND]: true,
      });
    },
    [BRAND]: true,
  });
}

/** Whether a value is an operation with its argument, whichever copy of this package made it. */
export function isUsedOperation(value: unknown): value is UsedOperation {
  return typeof value === 'object' && value !== null && BRAND in value && 'label' in value;
}

/** Whether a value is an operation that waits for its argument. */
export function isOperation(value: unknown): value is Operation<unknown> {
  return typeof value === 'object' && value !== null && BRAND in value && 'with' in value;
}

function labelOf(name: string, description: unknown): string {
  if (description === undefined) return name;
  if (typeof description !== 'string') throw notAnOperation(`describe of "${name}" gives no text`);
  const text = `${name}: ${description.replaceAll(/\s+/g, ' ').trim()}`;
  return text.length > LONGEST_LABEL ? `${text.slice(0, LONGEST_LABEL)} …` : text;
}

const KEYS: readonly string[] = ['name', 'describe', 'transaction', 'up', 'down'];

function flawOf(source: unknown): string | undefined {
  if (typeof source !== 'object' || source === null) return 'operation() takes one object';
  const members: Readonly<Record<string, unknown>> = { ...source };
  const { name, describe, transaction, up, down } = members;
  if (typeof name !== 'string' || name.trim() === '') return 'it has no name';
  const unknown = Object.keys(members).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `"${unknown}" of "${name}" is not one of ${KEYS.join(', ')}`;
  if (typeof up !== 'function') return `"up" of "${name}" must be a function`;
  if (typeof down !== 'function' && !isIrreversible(down)) {
    return `"down" of "${name}" must be a function that takes its effect back, or irreversible('why')`;
  }
  if (describe !== undefined && typeof describe !== 'function')
    return `"describe" of "${name}" must be a function`;
  if (transaction !== undefined && typeof transaction !== 'boolean') {
    return `"transaction" of "${name}" must be true or false`;
  }
  return undefined;
}

function notAnOperation(flaw: string): ForerunError {
  return new ForerunError('migration-not-a-migration', {
    what: `An operation is not written as one: ${flaw}.`,
    state: UNTOUCHED,
    next: 'Mend the call of operation().',
  });
}
