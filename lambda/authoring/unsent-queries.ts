import { QueryCreator, SchemaModule, type Kysely, type KyselyPlugin } from 'kysely';
import { ForerunError } from '../engine/errors.ts';

/** Queries that change something and were begun with a builder, but neither sent nor made part of another one. */
interface UnsentQueries {
  /** The same builder; what is begun with it is remembered until it is compiled. */
  watch<DB>(db: Kysely<DB>): Kysely<DB>;
  /** Throws about the first query that nobody sent. */
  refuse(): void;
}

/** Where a query begins. Those that only read are left out: one that is not sent does no harm. */
const BEGINNINGS: ReadonlySet<string> = new Set([
  'insertInto',
  'replaceInto',
  'updateTable',
  'deleteFrom',
  'mergeInto',
]);

/** What a schema module has besides beginnings. */
const MODULE_ONLY: ReadonlySet<string> = new Set(['withSchema', 'withPlugin', 'withoutPlugins']);

/** A builder, a query creator or a schema module, whatever tables it knows. */
interface Maker {
  withPlugin(plugin: KyselyPlugin): object;
}

/**
 * `db.insertInto('x').values(…)` without `.execute()` does nothing and says nothing, and the migration would count as applied.
 * Every beginning gets a plugin of its own, which sees the query when it is sent, compiled, or taken into another query.
 */
export function unsentQueries(): UnsentQueries {
  const unsent = new Set<ForerunError>();

  const begin = (maker: Maker, name: string, args: readonly unknown[]): unknown => {
    // Made here, because only now the stack tells the author's line.
    const refusal = notSent(name, args[0]);
    unsent.add(refusal);
    const plugin: KyselyPlugin = {
      transformQuery({ node }) {
        unsent.delete(refusal);
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    };
    return call(maker.withPlugin(plugin), name, args);
  };

  const watched = <T extends Maker>(maker: T): T =>
    new Proxy(maker, {
      get(target, name) {
        // With the builder itself as `this`: its private members are not seen through a proxy.
        const member: unknown = Reflect.get(target, name, target);
        if (member instanceof SchemaModule) return watched(member);
        if (typeof member !== 'function') return member;
        if (isBeginning(target, name)) return (...args: readonly unknown[]) => begin(target, name, args);
        return (...args: readonly unknown[]) => {
          const made = call(target, name, args);
          return made instanceof QueryCreator || made instanceof SchemaModule ? watched(made) : made;
        };
      },
    });

  return {
    watch: watched,
    refuse() {
      const [first] = unsent;
      if (first !== undefined) throw first;
    },
  };
}

function isBeginning(maker: object, name: string | symbol): name is string {
  if (typeof name !== 'string' || name === 'constructor') return false;
  return maker instanceof SchemaModule ? !MODULE_ONLY.has(name) : BEGINNINGS.has(name);
}

function call(maker: object, name: string | symbol, args: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(maker, name, maker);
  return typeof method === 'function' ? Reflect.apply(method, maker, args) : undefined;
}

function notSent(name: string, subject: unknown): ForerunError {
  const on = typeof subject === 'string' ? `'${subject}'` : '…';
  return new ForerunError('statement-refused', {
    what: `The query ${name}(${on}) was built and never sent.`,
    state: 'Nothing was sent for it.',
    next: 'End it with .execute() and put `await` before it, or remove it.',
  });
}
